package guard

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// metaItems numbers the items of a batch call: "<first>:" and ascending ranges of
// distances from it, e.g. "250:0-3,7"; honoured for service identities only.
const metaItems = "lockstep-items"

// maxItems bounds the items of one call.
const maxItems = 10_000

type itemsKey struct{}

// NumberItems returns a context for one batch call of a service to another, in which the
// item with index i has the key "<key>/<numbers[i]>" instead of "<key>/<i>", so that an
// item's key does not depend on what goes beside it. The numbers ascend.
func NumberItems(ctx context.Context, numbers []int64) context.Context {
	return context.WithValue(ctx, itemsKey{}, numbers)
}

// itemsOut writes the numbers in ctx for a call.
func itemsOut(ctx context.Context) []string {
	numbers, _ := ctx.Value(itemsKey{}).([]int64)
	if len(numbers) == 0 {
		return nil
	}
	var b strings.Builder
	first := numbers[0]
	fmt.Fprintf(&b, "%d:", first)
	for i := 0; i < len(numbers); {
		end := i
		for end+1 < len(numbers) && numbers[end+1] == numbers[end]+1 {
			end++
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(numbers[i]-first, 10))
		if end > i {
			b.WriteString("-" + strconv.FormatInt(numbers[end]-first, 10))
		}
		i = end + 1
	}
	return []string{metaItems, b.String()}
}

// itemsIn reads the numbers that came with a service's call.
func itemsIn(ctx context.Context, c Caller) (context.Context, error) {
	text := one(ctx, metaItems)
	if text == "" || c.Service == "" {
		return ctx, nil
	}
	numbers, ok := parseItems(text)
	if !ok {
		return nil, fault.New(fault.Invalid, "CAUSE_UNREADABLE", "%s cannot be read", metaItems)
	}
	return store.WithItemNumbers(ctx, numbers), nil
}

func parseItems(text string) (numbers []int64, ok bool) {
	head, ranges, found := strings.Cut(text, ":")
	first, err := strconv.ParseInt(head, 10, 64)
	if err != nil || !found {
		return nil, false
	}
	next := int64(0)
	for r := range strings.SplitSeq(ranges, ",") {
		from, to, isRange := strings.Cut(r, "-")
		if !isRange {
			to = from
		}
		a, err := strconv.ParseInt(from, 10, 32)
		if err != nil {
			return nil, false
		}
		b, err := strconv.ParseInt(to, 10, 32)
		if err != nil || a < next || b < a || b-a >= maxItems-int64(len(numbers)) {
			return nil, false
		}
		for n := a; n <= b; n++ {
			numbers = append(numbers, first+n)
		}
		next = b + 1
	}
	return numbers, true
}
