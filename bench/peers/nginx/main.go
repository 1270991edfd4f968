// Command nginx becomes the nginx that Penstock is measured against; ../README.md says what it
// answers. It writes a configuration from nginx.conf.template, and the file of /download unless
// it is to be a gateway, and then runs nginx in its own place, so that its process is that of
// nginx's master.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"syscall"
	"text/template"

	"github.com/penstock-go/penstock/bench/internal/service"
)

//go:embed nginx.conf.template
var configuration string

// mostDescriptors bounds what nginx makes room for when it starts, in each worker.
const mostDescriptors = 1 << 16

// settings is what the template is filled in with.
type settings struct {
	Address     string
	Folder      string
	Workers     int
	Descriptors uint64 // that a worker may have open
	Upstream    string // host:port that requests are passed on to; empty: nginx answers them
	User, Group string // of the workers, who read the folder: those of this process
}

func main() {
	folder := flag.String("folder", "", "the `folder` for nginx's files, which is made; who starts it removes it")
	upstream := flag.String("upstream", "", "the `URL` of a server that all requests are passed on to")
	arguments := service.Start()
	path, err := exec.LookPath("nginx")
	if err != nil {
		log.Fatalf("nginx is not installed: %v", err)
	}
	file, err := prepare(arguments.Address, *folder, *upstream)
	if err != nil {
		log.Fatal(err)
	}
	// An instant before it is true: nginx says nothing when it listens.
	service.Announce(arguments.Address)
	log.Fatal(syscall.Exec(path, []string{"nginx", "-p", *folder, "-c", file}, os.Environ()))
}

// prepare makes nginx's files and returns the path of its configuration.
func prepare(address, folder, upstream string) (string, error) {
	s, err := newSettings(address, folder)
	if err != nil {
		return "", err
	}
	if upstream != "" {
		found, err := url.Parse(upstream)
		if err != nil || found.Scheme != "http" || found.Host == "" {
			return "", fmt.Errorf("-upstream is %q, expected http://host:port", upstream)
		}
		s.Upstream = found.Host
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("no folder for nginx: %w", err)
	}
	if s.Upstream == "" {
		if err := writeDownload(filepath.Join(folder, "download")); err != nil {
			return "", fmt.Errorf("the file that nginx sends cannot be made: %w", err)
		}
	}
	path := filepath.Join(folder, "nginx.conf")
	file, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("the configuration of nginx cannot be made: %w", err)
	}
	defer file.Close()
	return path, template.Must(template.New("configuration").Parse(configuration)).Execute(file, s)
}

func newSettings(address, folder string) (settings, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return settings{}, fmt.Errorf("the limit of open descriptors is not known: %w", err)
	}
	person, err := user.Current()
	if err != nil {
		return settings{}, fmt.Errorf("the user is not known: %w", err)
	}
	group, err := user.LookupGroupId(person.Gid)
	if err != nil {
		return settings{}, fmt.Errorf("the user's group is not known: %w", err)
	}
	if folder == "" {
		return settings{}, fmt.Errorf("-folder is empty, expected the path of a folder")
	}
	return settings{
		Address: address, Folder: folder, Workers: runtime.GOMAXPROCS(0), Descriptors: min(limit.Cur, mostDescriptors),
		User: person.Username, Group: group.Name,
	}, nil
}

// writeDownload makes the file unless an earlier start in the same folder has made it.
func writeDownload(path string) error {
	if found, err := os.Stat(path); err == nil && found.Size() == service.DownloadLength {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, service.NewDownload(service.Block())); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
