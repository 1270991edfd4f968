package memory

import (
	"runtime/debug"
	"syscall"
	"testing"
)

func TestResident(t *testing.T) {
	debug.FreeOSMemory() // so that it is not given back while the test looks
	before := Resident()
	if before < 1<<20 {
		t.Fatalf("a process should have a mebibyte of memory at least, and has %d bytes", before)
	}
	const size = 64 << 20
	block, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Munmap(block); err != nil {
			t.Error(err)
		}
	}()
	if reserved := Resident(); reserved > before+size/2 {
		t.Errorf("memory that nobody has touched should not count, and %d bytes have become %d", before, reserved)
	}
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	if after := Resident(); after < before+size/2 {
		t.Errorf("with %d bytes more in use the memory should go up from %d, and is %d", size, before, after)
	}
}
