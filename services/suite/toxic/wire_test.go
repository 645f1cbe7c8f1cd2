//go:build faults

package toxic

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// wire is the only way to a server; what is done to it happens to everyone who goes there.
type wire struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// Directions, as clients of the server see them.
const (
	there = "upstream"   // what clients send
	back  = "downstream" // what they are answered
)

func newWire(t *testing.T, name, server string) *wire {
	t.Helper()
	address, err := testkit.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), name, address, server)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return &wire{t: t, proxy: p}
}

// address is where the server seems to be.
func (w *wire) address() string { return w.proxy.Listen }

// poison does something to all that goes in a direction, on open connections and new ones.
func (w *wire) poison(direction, kind string, attributes map[string]int) {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
	if err == nil {
		_, err = w.proxy.Toxics.AddToxicJson(bytes.NewReader(text))
	}
	if err != nil {
		w.t.Error(err)
	}
}

// lose swallows all that goes in the directions; connections stay open.
func (w *wire) lose(directions ...string) {
	w.t.Helper()
	for _, d := range directions {
		w.poison(d, "timeout", map[string]int{"timeout": 0})
	}
}

// heal ends whatever was done. Connections that lost something close.
func (w *wire) heal() { w.proxy.Toxics.ResetToxics(context.Background()) }
