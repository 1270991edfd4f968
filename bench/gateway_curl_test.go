package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGatewayBetweenCurlAndNginx has nothing of Penstock at either end.
func TestGatewayBetweenCurlAndNginx(t *testing.T) {
	needTools(t, "nginx", "curl")
	files := startFiles(t)
	gateway := startGateway(t, files.address)
	t.Run("small answers", func(t *testing.T) { expectSmallAnswers(t, gateway) })
	t.Run("conditional requests", func(t *testing.T) { expectConditional(t, gateway) })
	t.Run("a large file", func(t *testing.T) { expectLargeFile(t, files, gateway) })
	t.Run("an upload", func(t *testing.T) { expectUpload(t, files, gateway) })
	t.Run("a client that leaves", func(t *testing.T) { expectClosedBehindClient(t, files, gateway) })
	t.Run("a restart", func(t *testing.T) { expectRestartIsWaitedFor(t, files, gateway) })
}

// expectSmallAnswers holds the parts of an answer that matter; those with ! before them must not be there.
func expectSmallAnswers(t *testing.T, gateway string) {
	for _, c := range []struct {
		what      string
		arguments []string
		expected  []string
	}{
		{"GET", []string{"/small.txt"}, []string{"HTTP/1.1 200 OK\r\n", "\r\nVia: 1.1 gateway\r\n", "\r\nContent-Length: 10\r\n", "\r\n\r\n0123456789"}},
		{"GET of what is not there", []string{"/nothing"}, []string{"HTTP/1.1 404 Not Found\r\n"}},
		{"GET of two targets, one connection", []string{"/small.txt", "/small.txt"}, []string{"\r\n\r\n0123456789HTTP/1.1 200 OK\r\n"}},
		{"HEAD", []string{"--head", "/small.txt"}, []string{"HTTP/1.1 200 OK\r\n", "\r\nContent-Length: 10\r\n", "!0123456789"}},
		{"a range", []string{"--range", "2-4", "/small.txt"}, []string{"HTTP/1.1 206 Partial Content\r\n", "\r\nContent-Range: bytes 2-4/10\r\n", "\r\n\r\n234"}},
		{"a range beyond the end", []string{"--range", "20-", "/small.txt"}, []string{"HTTP/1.1 416 ", "\r\nContent-Range: bytes */10\r\n"}},
		{"two ranges", []string{"--range", "0-1,8-9", "/small.txt"}, []string{"HTTP/1.1 206 ", "multipart/byteranges", "\r\n01\r\n", "\r\n89\r\n"}},
		{"POST of a file that is only read", []string{"--data", "x", "/small.txt"}, []string{"HTTP/1.1 405 "}},
		{"HTTP/1.0", []string{"--http1.0", "/small.txt"}, []string{"HTTP/1.1 200 OK\r\n", "\r\nContent-Length: 10\r\n", "\r\n\r\n0123456789"}},
		{"no length", []string{"/chunked/small.txt"}, []string{"HTTP/1.1 200 OK\r\n", "\r\nTransfer-Encoding: chunked\r\n", "\r\n\r\n0123456789"}},
		{"no length in HTTP/1.0", []string{"--http1.0", "/chunked/small.txt"}, []string{"HTTP/1.1 200 OK\r\n", "!Transfer-Encoding", "\r\n\r\n0123456789"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			arguments := make([]string, len(c.arguments))
			for i, argument := range c.arguments {
				if strings.HasPrefix(argument, "/") {
					argument = gateway + argument
				}
				arguments[i] = argument
			}
			printed, status := curl(t, arguments...)
			for _, part := range c.expected {
				unwanted, not := strings.CutPrefix(part, "!")
				if not == strings.Contains(printed, unwanted) || status != 0 {
					t.Errorf("curl ends with %d and the answer has not what is expected, %q:\n%s", status, part, printed)
				}
			}
		})
	}
}

func expectConditional(t *testing.T, gateway string) {
	first, _ := curl(t, gateway+"/small.txt")
	for field, condition := range map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"} {
		_, rest, found := strings.Cut(first, "\r\n"+field+": ")
		value, _, _ := strings.Cut(rest, "\r\n")
		if !found || value == "" {
			t.Fatalf("the answer has no %s, expected that of nginx:\n%s", field, first)
		}
		second, status := curl(t, "--header", condition+": "+value, gateway+"/small.txt")
		if status != 0 || !strings.HasPrefix(second, "HTTP/1.1 304 Not Modified\r\n") || strings.Contains(second, "0123456789") {
			t.Errorf("with %s curl ends with %d and the answer is as follows, expected 304 and no content:\n%s", condition, status, second)
		}
	}
}

func expectLargeFile(t *testing.T, files *nginxUpstream, gateway string) {
	expected := hashOf(t, filepath.Join(files.folder, "files", "large.bin"))
	for _, path := range []string{"/large.bin", "/chunked/large.bin"} {
		came := filepath.Join(t.TempDir(), "large.bin")
		command := exec.CommandContext(t.Context(), "curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--output", came, gateway+path)
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("curl could not download %s: %v\n%s", path, err, text)
		}
		if sum := hashOf(t, came); sum != expected {
			t.Errorf("%s came through with the SHA-256 %s, expected that of the file, %s", path, sum, expected)
		}
	}
}

func expectUpload(t *testing.T, files *nginxUpstream, gateway string) {
	source := filepath.Join(files.folder, "files", "large.bin")
	expected := hashOf(t, source)
	for name, arguments := range map[string][]string{"length": nil, "chunks": {"--header", "Transfer-Encoding: chunked"}} {
		arguments = append(arguments, "--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "60",
			"--upload-file", source, gateway+"/put/"+name)
		printed, status := curl(t, arguments...)
		if status != 0 || !strings.Contains(printed, "< HTTP/1.1 100 Continue") || !strings.Contains(printed, "HTTP/1.1 201 Created") {
			t.Fatalf("with %s curl ends with %d and prints the following, expected 100 and then 201:\n%s", name, status, printed)
		}
		if sum := hashOf(t, filepath.Join(files.folder, "files", "put", name)); sum != expected {
			t.Errorf("with %s a file came to nginx with the SHA-256 %s, expected that of what was sent, %s", name, sum, expected)
		}
	}
}

// expectClosedBehindClient has curl leave in the middle of a file, which nginx must come to know.
func expectClosedBehindClient(t *testing.T, files *nginxUpstream, gateway string) {
	const timedOut = 28 // of curl's exit statuses
	if printed, status := curl(t, "--max-time", "1", "--limit-rate", "1M", "--output", "/dev/null", gateway+"/large.bin?left"); status != timedOut {
		t.Fatalf("curl ends with %d, expected that it leaves after a second:\n%s", status, printed)
	}
	// With [OK] all of the answer would have been sent.
	if line := files.waitForLog("GET /large.bin?left "); !strings.Contains(line, " [] ") {
		t.Errorf("nginx has logged %q, expected that the answer was broken off", line)
	}
	waitUntil(t, "no request but that for the counts is in progress", func() bool {
		counts := readGatewayCounts(t, gateway)
		return counts.InFlight == 1 && counts.Upstreams["files"][0].Pending == 0
	})
	if counts := readGatewayCounts(t, gateway); counts.Upstreams["files"][0].Failures != 0 {
		t.Errorf("behind a client that left the counts are %+v, expected no failure of the upstream", counts)
	}
}

// expectRestartIsWaitedFor stops nginx while curl asks for something, starts it again, and then stops it for good.
func expectRestartIsWaitedFor(t *testing.T, files *nginxUpstream, gateway string) {
	files.stop()
	if printed, status := curl(t, gateway+"/at-once/small.txt"); status != 0 || !strings.HasPrefix(printed, "HTTP/1.1 502 Bad Gateway\r\n") {
		t.Errorf("without nginx curl ends with %d and the answer is as follows, expected 502:\n%s", status, printed)
	}
	before := readGatewayCounts(t, gateway).Upstreams["files"][0].Requests
	held := exec.CommandContext(t.Context(), "curl", "--silent", "--include", "--max-time", "60", gateway+"/small.txt")
	var answer strings.Builder
	held.Stdout = &answer
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Wait() }) // where it was not waited for
	waitUntil(t, "the request was tried three times", func() bool {
		return readGatewayCounts(t, gateway).Upstreams["files"][0].Requests >= before+3
	})
	files.start()
	if err := held.Wait(); err != nil || !strings.HasPrefix(answer.String(), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(answer.String(), "0123456789") {
		t.Errorf("the request that was held ended with %v and the answer as follows, expected 200 and the file:\n%s", err, answer.String())
	}
	files.stop()
	if printed, status := curl(t, gateway+"/at-once/small.txt"); status != 0 || !strings.HasPrefix(printed, "HTTP/1.1 502 Bad Gateway\r\n") {
		t.Errorf("when nginx is stopped for good curl ends with %d and the answer is as follows, expected 502:\n%s", status, printed)
	}
}

// TestGatewayBetweenWrkAndNginx asks for small files as fast as the gateway can.
func TestGatewayBetweenWrkAndNginx(t *testing.T) {
	needTools(t, "nginx", "wrk")
	files := startFiles(t)
	gateway := startGateway(t, files.address)
	wrk, err := findWrk(1)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(gateway, "http://")
	counted, err := wrk.run(t.Context(), address, load{tool: toolWrk, connections: 32, asks: exchange{path: "/small.txt"}}, 1)
	if err != nil || counted.requests == 0 {
		t.Errorf("wrk has counted %+v and gives the error %v, expected requests, and none that fails", counted, err)
	}
	files.stop()
	if _, err := wrk.run(t.Context(), address, load{tool: toolWrk, connections: 32, asks: exchange{path: "/at-once/small.txt"}}, 1); err == nil || !strings.Contains(err.Error(), "status") {
		t.Errorf("without nginx wrk gives the error %v, expected one that says that answers had other statuses", err)
	}
}
