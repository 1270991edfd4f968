// Package sockdiag asks Linux what the TCP connections of a port have carried, and what of it
// lies in their buffers: sock_diag(7), as ss(8) does. It needs no help of the programs that have
// these connections.
package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Traffic is the sum over connections. A connection that is closed is no longer in it.
type Traffic struct {
	Connections int
	Written     int64 // bytes that programs have handed to the kernel
	Unsent      int64 // of these: not yet acknowledged by the peer
	Read        int64 // bytes that programs have taken from the kernel
	Unread      int64 // come, and not yet taken
}

// A side says by which of its two ends a connection is found.
type side int

const (
	local side = iota
	remote
)

// Of a server's port on IPv4 the connections are those on its own side.
func Of(port uint16) (Traffic, error) { return ask(local, port) }

// To a server's port on IPv4 the connections are those on its clients' side, as far as these are
// on this machine.
func To(port uint16) (Traffic, error) { return ask(remote, port) }

// What the kernel's headers linux/netlink.h, linux/inet_diag.h and linux/tcp.h say of lengths and
// offsets in bytes.
const (
	headerLength  = 16 // struct nlmsghdr
	requestLength = headerLength + 56
	atFamily      = headerLength
	atProtocol    = headerLength + 1
	atExtensions  = headerLength + 2
	atStates      = headerLength + 4
	atSourcePort  = headerLength + 8
	atTargetPort  = headerLength + 10

	answerLength = 72 // struct inet_diag_msg, behind the header
	atReadQueue  = 56
	atWriteQueue = 60

	attributeHeader = 4
	infoAttribute   = 2 // INET_DIAG_INFO
	atAcknowledged  = 120
	atReceived      = 128
)

// Connections in these states have buffers: ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT,
// LAST_ACK and CLOSING of linux/tcp_states.h.
const states = 1<<1 | 1<<4 | 1<<5 | 1<<8 | 1<<9 | 1<<11

func ask(which side, port uint16) (Traffic, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return Traffic{}, fmt.Errorf("no netlink socket to ask for connections with: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, request(which, port), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return Traffic{}, fmt.Errorf("the kernel takes no question for connections: %w", err)
	}
	var sum Traffic
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return Traffic{}, fmt.Errorf("the kernel does not tell of connections: %w", err)
		}
		done, err := sum.add(buffer[:n])
		if done || err != nil {
			return sum, err
		}
	}
}

// request asks for all connections with the port at the side.
func request(which side, port uint16) []byte {
	text := make([]byte, requestLength)
	binary.NativeEndian.PutUint32(text, requestLength)
	binary.NativeEndian.PutUint16(text[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(text[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	text[atFamily], text[atProtocol] = unix.AF_INET, unix.IPPROTO_TCP
	text[atExtensions] = 1 << (infoAttribute - 1)
	binary.NativeEndian.PutUint32(text[atStates:], states)
	at := atSourcePort
	if which == remote {
		at = atTargetPort
	}
	binary.BigEndian.PutUint16(text[at:], port)
	return text
}

// add adds the connections of some messages, and says whether they were the last.
func (t *Traffic) add(messages []byte) (done bool, err error) {
	for len(messages) >= headerLength {
		length := int(binary.NativeEndian.Uint32(messages))
		if length < headerLength || length > len(messages) {
			return false, fmt.Errorf("the kernel's message says that it has %d bytes, expected %d to %d", length, headerLength, len(messages))
		}
		content := messages[headerLength:length]
		switch kind := binary.NativeEndian.Uint16(messages[4:]); kind {
		case unix.NLMSG_DONE:
			return true, nil
		case unix.NLMSG_ERROR:
			if len(content) < 4 {
				return false, errors.New("the kernel refuses to tell of connections, and not why")
			}
			return false, fmt.Errorf("the kernel refuses to tell of connections: %w", unix.Errno(-int32(binary.NativeEndian.Uint32(content))))
		case unix.SOCK_DIAG_BY_FAMILY:
			if err := t.addConnection(content); err != nil {
				return false, err
			}
		}
		messages = messages[min((length+3)&^3, len(messages)):]
	}
	return false, nil
}

func (t *Traffic) addConnection(content []byte) error {
	if len(content) < answerLength {
		return fmt.Errorf("the kernel tells %d bytes of a connection, expected at least %d", len(content), answerLength)
	}
	unread := int64(binary.NativeEndian.Uint32(content[atReadQueue:]))
	unsent := int64(binary.NativeEndian.Uint32(content[atWriteQueue:]))
	for rest := content[answerLength:]; len(rest) >= attributeHeader; {
		length := int(binary.NativeEndian.Uint16(rest))
		if length < attributeHeader || length > len(rest) {
			break
		}
		value := rest[attributeHeader:length]
		if binary.NativeEndian.Uint16(rest[2:]) == infoAttribute && len(value) >= atReceived+8 {
			t.Connections++
			t.Unread += unread
			t.Unsent += unsent
			t.Read += int64(binary.NativeEndian.Uint64(value[atReceived:])) - unread
			t.Written += int64(binary.NativeEndian.Uint64(value[atAcknowledged:])) + unsent
			return nil
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return errors.New("the kernel does not tell what a connection has carried, expected Linux 4.1 or later")
}
