package suite_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/services/suite"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// started returns a suite on embedded engines with its data in a folder.
func started(t *testing.T, data string) *suite.Suite {
	t.Helper()
	s, err := suite.New()
	if err != nil {
		t.Fatal(err)
	}
	s.Data, s.Log = data, io.Discard
	if err := host.Load("", []string{"GATEWAY__LISTEN=127.0.0.1:0"}, nil, &s.Config, s.Units...); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// call returns the status and body of a request.
func call(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", t.Name()+method+url)
	req.Close = true // no connection outlives the suite
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }() // read whole
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestDataOutlivesTheProcess: what was put is there after an orderly end and a new start on the
// same folder, and so is the admin token.
func TestDataOutlivesTheProcess(t *testing.T) {
	data := t.TempDir()
	s := started(t, data)
	token := s.AdminToken()
	tenant := `{"tenant":{"name":"Example Trading","currency":"EUR","country":"DE","timeZone":"Europe/Berlin"}}`
	if status, body := call(t, http.MethodPut, s.URL()+"/v1/tenant", token, tenant); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	s = started(t, data)
	defer func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if s.AdminToken() != token {
		t.Error("the admin token changed with a restart")
	}
	status, body := call(t, http.MethodGet, s.URL()+"/v1/tenant", token, "")
	var got struct{ Tenant struct{ Name string } }
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != http.StatusOK || got.Tenant.Name != "Example Trading" {
		t.Errorf("%d %s", status, body)
	}
	minted, err := s.Token(guard.Caller{Tenant: "other", Principal: "erp", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := call(t, http.MethodGet, s.URL()+"/v1/tenant", minted, ""); status != http.StatusNotFound {
		t.Errorf("another tenant sees %d %s", status, body)
	}
}

// TestOneProcessAFolder: a second process on the same data is refused.
func TestOneProcessAFolder(t *testing.T) {
	data := t.TempDir()
	s := started(t, data)
	defer func() { _ = s.Stop(context.WithoutCancel(t.Context())) }()
	second, err := suite.New()
	if err != nil {
		t.Fatal(err)
	}
	second.Data, second.Log = data, io.Discard
	if err := host.Load("", []string{"GATEWAY__LISTEN=127.0.0.1:0"}, nil, &second.Config, second.Units...); err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context()); err == nil {
		_ = second.Stop(context.WithoutCancel(t.Context()))
		t.Fatal("two processes hold one folder")
	}
}
