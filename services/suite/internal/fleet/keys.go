package fleet

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
)

// makeKey writes an Ed25519 key pair: the private key to private ("" for nowhere), the
// public one to trusted/<owner>.pem. It returns the private key, PKCS #8 PEM.
func makeKey(owner, private, trusted string) ([]byte, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if private != "" {
		if err := os.WriteFile(private, text, 0o600); err != nil {
			return nil, err
		}
	}
	if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
		return nil, err
	}
	return text, os.WriteFile(filepath.Join(trusted, owner+".pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600)
}
