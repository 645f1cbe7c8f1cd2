package host

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// certificates are a process's TLS files. They are read again when they change, at
// most every ten seconds, so that a rotation needs no restart and fails no call.
type certificates struct {
	files TLS

	mu      sync.Mutex
	checked time.Time
	changed time.Time // newest modification seen
	pair    tls.Certificate
	roots   *x509.CertPool
}

const recheck = 10 * time.Second

// newCertificates returns nil when TLS is not configured.
func newCertificates(files TLS) (*certificates, error) {
	if files.Cert == "" {
		return nil, nil
	}
	c := &certificates{files: files}
	return c, c.read()
}

// read loads the files.
func (c *certificates) read() error {
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	var roots *x509.CertPool
	if c.files.CA != "" {
		text, err := os.ReadFile(c.files.CA)
		if err != nil {
			return fmt.Errorf("tls: %w", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return fmt.Errorf("tls: no certificate in %s", c.files.CA)
		}
	}
	c.pair, c.roots, c.changed, c.checked = pair, roots, c.modified(), time.Now()
	return nil
}

func (c *certificates) modified() time.Time {
	var newest time.Time
	for _, f := range []string{c.files.Cert, c.files.Key, c.files.CA} {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}

// current returns what is in force, reading changed files first. Files that cannot be
// read in the middle of a rotation leave the old ones in force.
func (c *certificates) current() (tls.Certificate, *x509.CertPool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) > recheck {
		c.checked = time.Now()
		if c.modified().After(c.changed) {
			_ = c.read()
		}
	}
	return c.pair, c.roots
}

// server returns credentials that ask callers for a certificate when an authority is configured.
func (c *certificates) server() credentials.TransportCredentials {
	if c == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		pair, roots := c.current()
		cfg := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}
		if roots != nil {
			cfg.ClientCAs, cfg.ClientAuth = roots, tls.RequireAndVerifyClientCert
		}
		return cfg, nil
	}})
}

// client returns credentials that show our certificate. The authority is that of the
// start: connections made later verify against the file as it was then.
func (c *certificates) client() credentials.TransportCredentials {
	if c == nil {
		return insecure.NewCredentials()
	}
	_, roots := c.current()
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, _ := c.current()
			return &pair, nil
		},
	})
}
