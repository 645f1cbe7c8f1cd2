package testkit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports of what is started here: below those that the system hands out to outgoing
// connections, one of which might take a port while its server is down.
const firstPort, ports = 20_000, 12_000

// given are the addresses that this process was given: none is given twice.
var given sync.Map

// FreeAddress returns a loopback address, host:port, that was free a moment ago.
func FreeAddress() (string, error) {
	err := errors.New("no loopback address is free")
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.N(ports))
		if _, twice := given.LoadOrStore(address, true); twice {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			_ = l.Close() // its port is what was wanted
			return address, nil
		}
	}
	return "", err
}

// freePort returns the port of a free address.
func freePort() (int, error) {
	address, err := FreeAddress()
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}
