package protovalue

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Each converts a list; nil stays nil.
func Each[A, B any](list []A, convert func(A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = convert(a)
	}
	return out
}

// TryEach converts a list as far as the first error.
func TryEach[A, B any](list []A, convert func(A) (B, error)) ([]B, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]B, len(list))
	for i, a := range list {
		var err error
		if out[i], err = convert(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Name is an enum value as domains write it: its name without the enum's prefix, e.g.
// "SITE" for LOCATION_KIND_SITE; "" for the unspecified one and for one that this release
// does not know.
func Name(value protoreflect.Enum, prefix string) string {
	v := value.Descriptor().Values().ByNumber(value.Number())
	if v == nil || value.Number() == 0 {
		return ""
	}
	return strings.TrimPrefix(string(v.Name()), prefix)
}
