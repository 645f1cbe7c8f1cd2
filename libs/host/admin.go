package host

import (
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
)

// readiness is what the probes answer from: polled in the background, so that a
// probe costs nothing and a slow dependency does not make it time out.
type readiness struct {
	stopping atomic.Bool
	waiting  atomic.Pointer[map[string]string] // service → why it cannot serve yet; nil before the first poll
	look     chan struct{}                     // something changed that the poll should see now
}

// changed has readiness looked at again.
func (r *readiness) changed() {
	select {
	case r.look <- struct{}{}:
	default: // somebody asked already
	}
}

// why returns what keeps the process from serving; empty when it can.
func (r *readiness) why() map[string]string {
	switch p := r.waiting.Load(); {
	case r.stopping.Load():
		return map[string]string{"process": "stopping"}
	case p == nil:
		return map[string]string{"process": "starting"}
	default:
		return maps.Clone(*p)
	}
}

// adminServer serves probes, metrics, profiles and gRPC reflection.
func adminServer(t *telemetry, ready *readiness, servers []*server) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		why := ready.why()
		w.Header().Set("Content-Type", "application/json")
		if len(why) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(why) == 0, "waiting": why})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{}))
	for path, h := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile, "/debug/pprof/symbol": pprof.Symbol,
		"/debug/pprof/trace": pprof.Trace, "/debug/pprof/cmdline": pprof.Cmdline,
	} {
		mux.Handle("GET "+path, onlyLoopback(h))
	}
	mirror := reflector(servers)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			mirror.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: handler, Protocols: protocols, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

// onlyLoopback hides profiles from everyone who is not on this machine (kubectl port-forward is).
func onlyLoopback(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(name); err != nil || ip == nil || !ip.IsLoopback() {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// reflector answers gRPC reflection for all services of the process, here and nowhere else.
func reflector(servers []*server) *grpc.Server {
	g := grpc.NewServer()
	reflection.RegisterV1(lister{g, servers})
	return g
}

// lister registers on one server and lists the services of others.
type lister struct {
	*grpc.Server
	servers []*server
}

func (l lister) GetServiceInfo() map[string]grpc.ServiceInfo {
	all := map[string]grpc.ServiceInfo{}
	for _, s := range l.servers {
		maps.Copy(all, s.grpc.GetServiceInfo())
	}
	return all
}
