package bus

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Partitions is the number of lanes of an aggregate type. Changing it is a new generation.
const Partitions = 16

// lane is where facts are numbered: one partition of one aggregate type.
type lane struct {
	aggregate string
	partition int
}

// String returns e.g. "order/07".
func (l lane) String() string { return fmt.Sprintf("%s/%02d", l.aggregate, l.partition) }

// MarshalText lets a lane be a key in JSON.
func (l lane) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (l *lane) UnmarshalText(b []byte) error {
	aggregate, partition, ok := strings.Cut(string(b), "/")
	n, err := strconv.Atoi(partition)
	if !ok || err != nil || n < 0 || n >= Partitions {
		return fmt.Errorf("lane %q", b)
	}
	l.aggregate, l.partition = aggregate, n
	return nil
}

// partitionOf spreads aggregates over the partitions.
func partitionOf(aggregateID string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(aggregateID)) // a hash never fails
	return int(h.Sum32() % Partitions)
}

// numbers are the newest numbers of lanes; a lane that is not in it has none.
type numbers map[lane]uint64

// mark is a place in the numbering of a generation. Everything in it is a function of
// the engine's order, so every relay makes the same marks.
type mark struct {
	Generation uint64
	Count      uint64         // commits since the generation began
	Rests      uint64         // how often Position moved since without a commit
	Position   store.Position // after the last of them
	Numbers    numbers
	Recorded   time.Time // of the last of them
}

func (m mark) clone() mark {
	m.Numbers = maps.Clone(m.Numbers)
	if m.Numbers == nil {
		m.Numbers = numbers{}
	}
	return m
}

// take moves the mark over a commit and returns its facts, numbered.
func (m *mark) take(service string, c store.RawCommit) []Fact {
	m.Count++
	m.Rests, m.Position, m.Recorded = 0, c.Position, c.Recorded
	if len(c.Facts) == 0 {
		return nil
	}
	l := lane{c.AggregateType, partitionOf(c.ID)}
	facts := factsOf(service, c)
	for i := range facts {
		m.Numbers[l]++
		facts[i].Generation, facts[i].Number = m.Generation, m.Numbers[l]
	}
	return facts
}

// maxRests is how often in a row a stored position moves without a commit: nearly two years
// of an idle service.
const maxRests = 1<<14 - 1

// rowVersion orders marks: a newer generation, then more commits, then a later rest. It is
// the version of the rows that hold marks, so a slow relay cannot move a record back.
func (m mark) rowVersion() uint64 { return m.Generation<<52 | m.Count<<14 | min(m.Rests, maxRests) }

// markRecord is a mark as stored; positions are opaque bytes.
type markRecord struct {
	Generation uint64    `json:"g"`
	Count      uint64    `json:"c"`
	Rests      uint64    `json:"s"`
	Position   []byte    `json:"p"`
	Numbers    numbers   `json:"n"`
	Recorded   time.Time `json:"r"`
	At         time.Time `json:"t"` // when it was stored
}

func (m mark) encode(at time.Time) ([]byte, error) {
	return json.Marshal(markRecord{m.Generation, m.Count, m.Rests, []byte(m.Position), m.Numbers, m.Recorded, at})
}

func decodeMark(b []byte) (mark, markRecord, error) {
	var r markRecord
	if err := json.Unmarshal(b, &r); err != nil {
		return mark{}, r, fmt.Errorf("relay record: %w", err)
	}
	if r.Numbers == nil {
		r.Numbers = numbers{}
	}
	return mark{r.Generation, r.Count, r.Rests, store.Position(r.Position), r.Numbers, r.Recorded}, r, nil
}
