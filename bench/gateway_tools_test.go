package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// needTools ends the test where one of the programs is not installed.
func needTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		missing := "the gateway's test with real programs needs " + name + ", which is not in PATH"
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
}

// A nginxUpstream is nginx with a folder of files, which can be stopped and started again.
type nginxUpstream struct {
	t       *testing.T
	address string
	folder  string // its prefix; files/ is what it serves
	command *exec.Cmd
}

// The log says of each request how many bytes of its body were sent, and whether that was all. What
// passes through SSI has no length. One process runs as whoever runs the test.
const nginxFiles = `daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
	log_format short '$request $status $body_bytes_sent [$request_completion] $http_x_forwarded_for';
	access_log access.log short;
	default_type text/plain;
	client_body_temp_path body;
	proxy_temp_path proxy;
	fastcgi_temp_path fastcgi;
	uwsgi_temp_path uwsgi;
	scgi_temp_path scgi;
	client_max_body_size 0;
	server {
		listen ADDRESS;
		root files;
		location /chunked/ { ssi on; ssi_types text/plain; alias files/; }
		location /put/ { dav_methods PUT; }
	}
}
`

func startFiles(t *testing.T) *nginxUpstream {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	n := &nginxUpstream{t: t, address: fmt.Sprintf("127.0.0.1:%d", port), folder: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(n.folder, "files", "put"), 0o755); err != nil {
		t.Fatal(err)
	}
	configuration := strings.NewReplacer("ADDRESS", n.address, "alias files/", "alias "+filepath.Join(n.folder, "files")+"/").Replace(nginxFiles)
	writeFile(t, filepath.Join(n.folder, "nginx.conf"), configuration)
	writeFile(t, filepath.Join(n.folder, "files", "small.txt"), "0123456789")
	n.writeLarge()
	n.start()
	t.Cleanup(n.stop)
	return n
}

// writeLarge makes a file of 64 MiB, which is never in memory as a whole.
func (n *nginxUpstream) writeLarge() {
	n.t.Helper()
	file, err := os.Create(filepath.Join(n.folder, "files", "large.bin"))
	if err != nil {
		n.t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, service.NewDownload(service.Block())); err != nil {
		n.t.Fatalf("the file that nginx serves cannot be made: %v", err)
	}
}

func (n *nginxUpstream) start() {
	n.t.Helper()
	n.command = exec.Command("nginx", "-p", n.folder, "-c", filepath.Join(n.folder, "nginx.conf"))
	n.command.Stderr = os.Stderr
	if err := n.command.Start(); err != nil {
		n.t.Fatalf("nginx cannot be started: %v", err)
	}
	connection, err := dialUntilAccepted(n.t.Context(), n.address)
	if err != nil {
		n.stop()
		n.t.Fatalf("nginx does not listen: %v", err)
	}
	connection.Close()
}

// stop may be called again.
func (n *nginxUpstream) stop() {
	if n.command != nil {
		_ = n.command.Process.Kill() // it may have ended
		_ = n.command.Wait()
		n.command = nil
	}
}

// waitForLog returns a line of nginx's log that begins with the text, once there is one.
func (n *nginxUpstream) waitForLog(begin string) (line string) {
	n.t.Helper()
	waitUntil(n.t, "nginx has logged "+begin, func() bool {
		for each := range strings.Lines(readFile(n.t, filepath.Join(n.folder, "access.log"))) {
			if strings.HasPrefix(each, begin) && strings.HasSuffix(each, "\n") {
				line = each
			}
		}
		return line != ""
	})
	return line
}

// waitUntil asks again and again, as long as a program may take to answer.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), answerTimeout)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("within %v it was never so that %s", answerTimeout, what)
		}
	}
}

// Behind /at-once/ is the same as behind /, but nothing is held on to.
const gatewayOfFiles = `{
	"public_counts": true,
	"upstreams": {
		"files": {"addresses": ["http://%[1]s"], "try_for": "1m", "try_every": "20ms"},
		"files at once": {"addresses": ["http://%[1]s"]}
	},
	"routes": [
		{"pattern": "/", "upstream": "files", "public": true, "body_limit": -1},
		{"pattern": "/at-once/", "upstream": "files at once", "public": true, "strip_prefix": "/at-once"}
	]
}`

// startGateway runs examples/gateway in front of the upstream until the test ends, and returns its URL.
func startGateway(t *testing.T, upstream string) (url string) {
	t.Helper()
	binary := filepath.Join(builtPrograms, "gateway-of-files")
	if _, err := buildGo(t.Context(), "../examples/gateway", binary); err != nil {
		t.Fatalf("the gateway does not build: %v", err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	routes := filepath.Join(t.TempDir(), "routes.json")
	writeFile(t, routes, fmt.Sprintf(gatewayOfFiles, upstream))
	address := fmt.Sprintf("127.0.0.1:%d", port)
	gateway, err := startServer(t.Context(), address, binary, []string{"-addr", address, "-config", routes}, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.stop(); err != nil {
			t.Errorf("the gateway should end when it is told to: %v", err)
		}
	})
	return "http://" + address
}

// gatewayCounts is what the test reads of the gateway's counts.
type gatewayCounts struct {
	InFlight  int64 `json:"in_flight"`
	Upstreams map[string][]struct {
		Requests int64 `json:"requests"`
		Pending  int64 `json:"pending"`
		Failures int64 `json:"failures"`
	} `json:"upstreams"`
}

func readGatewayCounts(t *testing.T, gateway string) (found gatewayCounts) {
	t.Helper()
	response, err := http.Get(gateway + "/-/stats")
	if err != nil {
		t.Fatalf("the gateway does not tell its counts: %v", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		t.Fatalf("the gateway's counts are not JSON: %v", err)
	}
	return found
}

// curl returns what curl prints, with the head of the answer before its body, and its exit status.
func curl(t *testing.T, arguments ...string) (printed string, status int) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "curl", append([]string{"--silent", "--include", "--max-time", "60"}, arguments...)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	text, err := command.Output()
	if err != nil && command.ProcessState == nil {
		t.Fatalf("curl cannot be started: %v", err)
	}
	return string(text) + complaints.String(), command.ProcessState.ExitCode()
}

func hashOf(t *testing.T, path string) (sum string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}
