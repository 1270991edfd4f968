package browser

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// newNginx runs nginx in front of another program, and returns its address. Without nginx the test
// ends here: the tests of bench are the ones that insist on it.
func newNginx(t *testing.T, behind *program) (address string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("nginx is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = free.Addr().String()
	free.Close()
	folder := t.TempDir()
	config := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / { proxy_pass http://%[3]s; proxy_http_version 1.1; proxy_set_header Connection ""; }
	}
}
`, folder, address, behind.address)
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(path, "-p", folder, "-c", file)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatalf("nginx cannot be started: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGQUIT) // it may have ended: then Wait says how
		_ = command.Wait()
	})
	for end := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return address
		}
		if time.Now().After(end) {
			t.Fatalf("nginx should listen on %s, and does not: %v", address, err)
		}
	}
}

// A page behind nginx, behind a gateway, is as live as without them.
func TestPagesAreLiveThroughAGatewayAndNginx(t *testing.T) {
	live := newProgram(t)
	nginx := newNginx(t, live)
	gateway := newProgramOf(t, "../../gateway", "-upstream", "http://"+nginx)
	browser := startBrowser(t)
	one, two := openPage(t, browser, "one", gateway), openPage(t, browser, "two", gateway)
	one.send("from one")
	two.awaitMessage("from one")
	two.send("from two")
	one.awaitMessage("from two")
	one.expectMessages("from one", "from two")
	two.expectMessages("from one", "from two")
}
