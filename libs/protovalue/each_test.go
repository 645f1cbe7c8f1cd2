package protovalue_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func TestEach(t *testing.T) {
	if got := protovalue.Each([]int{1, 2}, strconv.Itoa); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("%v", got)
	}
	if got := protovalue.Each(nil, strconv.Itoa); got != nil {
		t.Errorf("nil became %#v", got)
	}
	if got, err := protovalue.TryEach([]string{"1", "2"}, strconv.Atoi); err != nil || !slices.Equal(got, []int{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := protovalue.TryEach([]string{"1", "x", "3"}, strconv.Atoi); err == nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestName(t *testing.T) {
	for kind, want := range map[masterdatav1.LocationKind]string{
		masterdatav1.LocationKind_LOCATION_KIND_SITE:        "SITE",
		masterdatav1.LocationKind_LOCATION_KIND_UNSPECIFIED: "",
		masterdatav1.LocationKind(9999):                     "", // of a newer release
	} {
		if got := protovalue.Name(kind, "LOCATION_KIND_"); got != want {
			t.Errorf("%v is named %q, want %q", kind, got, want)
		}
	}
}
