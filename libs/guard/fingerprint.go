package guard

import (
	"crypto/sha256"

	"github.com/gowebpki/jcs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

const fingerprintVersion = "v1:"

// Fingerprint says whether two requests are the same command: "v1:" and the SHA-256
// of the full method, the tenant and the request as canonical JSON (RFC 8785 of
// protojson without defaults). It does not depend on protobuf's own encoding, which
// differs between versions, nor on the form in which the request came.
func Fingerprint(method, tenant string, req proto.Message) ([]byte, error) {
	text, err := protojson.Marshal(req)
	if err != nil {
		return nil, err
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write([]byte(method + "\x00" + tenant + "\x00"))
	h.Write(canonical)
	return h.Sum([]byte(fingerprintVersion)), nil
}
