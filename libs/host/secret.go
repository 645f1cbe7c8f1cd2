package host

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Secret is a setting that never shows itself: printed, logged or encoded it is "***".
// In a file or the environment it may stand for itself, or refer to where it is kept:
// "file:/run/secrets/mongo" or "env:MONGO_URI".
type Secret string

const hidden = "***"

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText resolves a reference.
func (s *Secret) UnmarshalText(text []byte) error {
	value := string(text)
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("secret: %w", err)
		}
		value = strings.TrimRight(string(content), "\r\n")
	} else if name, ok := strings.CutPrefix(value, "env:"); ok {
		if value = os.Getenv(name); value == "" {
			return fmt.Errorf("secret: %s is not set", name)
		}
	}
	*s = Secret(value)
	return nil
}
