package host

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// freeAddress returns an address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	return freeAddressOf(t, "127.0.0.1")
}

func freeAddressOf(t *testing.T, host string) string {
	t.Helper()
	address, err := testkit.FreeAddress() // whose port the system gives to nobody meanwhile
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort(host, port)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestAdminPort(t *testing.T) {
	cfg := quick()
	cfg.Listen.Admin = freeAddress(t)
	p := newProbe()
	notYet := make(chan struct{})
	h := startHost(t, cfg, p.unit("probe", func(s *Service) {
		s.Ready = func(context.Context) error {
			select {
			case <-notYet:
				return nil
			default:
				return fault.New(fault.Unavailable, "COPYING", "the first copy is not here yet")
			}
		}
	}))
	base := "http://" + cfg.Listen.Admin
	if code, _ := get(t, base+"/livez"); code != http.StatusOK {
		t.Errorf("livez %d", code)
	}
	testkit.Eventually(t, time.Minute, func() bool {
		code, body := get(t, base+"/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "COPYING")
	})
	close(notYet)
	testkit.Eventually(t, time.Minute, func() bool { code, _ := get(t, base+"/readyz"); return code == http.StatusOK })
	_, body := get(t, base+"/readyz")
	if err := json.Unmarshal([]byte(body), &struct{ Ready bool }{}); err != nil {
		t.Error(err)
	}

	for range 3 {
		if _, err := client(h).Add(as(t, "key-of-mine"), &probev1.AddRequest{CounterId: "c", Mood: "refuse"}); err == nil {
			t.Fatal("not refused")
		}
	}
	_, metrics := get(t, base+"/metrics")
	for _, line := range []string{
		`lockstep_rpc_duration_seconds_count{method="lockstep.probe.v1.ProbeService/Add",outcome="FailedPrecondition",service="probe"} 3`, "go_goroutines", "process_open_fds",
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("metrics lack %s", line)
		}
	}
	if strings.Contains(metrics, "key-of-mine") || strings.Contains(metrics, `"t1"`) {
		t.Error("a label has an open set of values")
	}
	if code, _ := get(t, base+"/debug/pprof/"); code != http.StatusOK {
		t.Errorf("profiles from this machine: %d", code)
	}
	if got := reflected(t, cfg.Listen.Admin); !strings.Contains(got, "lockstep.probe.v1.ProbeService") {
		t.Errorf("reflection lists %s", got)
	}
}

func reflected(t *testing.T, address string) string {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return answer.String()
}

func TestProfilesAreForThisMachineOnly(t *testing.T) {
	h := onlyLoopback(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	for remote, want := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "10.0.0.1:1": 404, "nonsense": 404} {
		r := httptest.NewRequest(http.MethodGet, "/debug/pprof/", nil)
		r.RemoteAddr = remote
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d", remote, w.Code)
		}
	}
}

func TestServicesProveThemselvesByCertificate(t *testing.T) {
	ca := newAuthority(t)
	cfg := quick()
	cfg.Listen.GRPC = freeAddress(t)
	cfg.TLS = ca.issue(t, "127.0.0.1")
	cfg.Services = map[string]string{"probe": cfg.Listen.GRPC}
	p := newProbe()
	h := startHost(t, cfg, p.unit("probe"))
	if _, err := client(h).GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "c"}); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	for name, files := range map[string]TLS{
		"no certificate":     {CA: cfg.TLS.CA},
		"a stranger's":       newAuthority(t).issue(t, "127.0.0.1"),
		"a strange server's": {CA: newAuthority(t).issue(t, "x").CA, Cert: cfg.TLS.Cert, Key: cfg.TLS.Key},
	} {
		if err := handshake(t, cfg.Listen.GRPC, files); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	old := h.certs.changed
	again := ca.issue(t, "127.0.0.1")
	replace(t, again.Cert, cfg.TLS.Cert)
	replace(t, again.Key, cfg.TLS.Key)
	h.certs.mu.Lock()
	h.certs.checked = h.certs.checked.Add(-recheck - time.Second)
	h.certs.mu.Unlock()
	if err := handshake(t, cfg.Listen.GRPC, TLS{CA: cfg.TLS.CA, Cert: again.Cert, Key: again.Key}); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	h.certs.mu.Lock()
	defer h.certs.mu.Unlock()
	if !h.certs.changed.After(old) {
		t.Error("the new certificate was not read")
	}
}

// handshake connects by TLS and waits for the server's verdict.
func handshake(t *testing.T, address string, files TLS) error {
	t.Helper()
	cfg := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, RootCAs: pool(t, files.CA), ServerName: "127.0.0.1"}
	if files.Cert != "" {
		pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", address, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	_, err = conn.Read(make([]byte, 1)) // TLS 1.3: the server's refusal comes with the first read
	return err
}
