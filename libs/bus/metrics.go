package bus

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// scope is the instrumentation scope of the bus's metrics and spans.
const scope = "github.com/lockstep-logistics/lockstep/libs/bus"

// metrics are the bus's instruments; labels are bounded: service, consumer, source.
type metrics struct {
	own         metric.MeasurementOption // this service
	published   metric.Int64Counter
	unpublished metric.Int64Counter
	relayLag    metric.Float64Histogram
	applied     metric.Int64Counter
	lag         metric.Float64Histogram
	duplicates  metric.Int64Counter
	fetched     metric.Int64Counter
	retries     metric.Int64Counter
	dead        metric.Int64Counter
	catchUps    metric.Int64Counter
	meter       metric.Meter
}

// lagBuckets are seconds from commit to effect.
var lagBuckets = metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300)

func newMetrics(service string) (*metrics, error) {
	m := &metrics{
		own:   metric.WithAttributeSet(attribute.NewSet(attribute.String("service", service))),
		meter: otel.Meter(scope),
	}
	var errs error
	counter := func(name, what string) metric.Int64Counter {
		c, err := m.meter.Int64Counter(name, metric.WithDescription(what))
		errs = errors.Join(errs, err)
		return c
	}
	histogram := func(name, what string) metric.Float64Histogram {
		h, err := m.meter.Float64Histogram(name, metric.WithDescription(what), metric.WithUnit("s"), lagBuckets)
		errs = errors.Join(errs, err)
		return h
	}
	m.published = counter("bus.facts.published", "facts acknowledged by the stream")
	m.unpublished = counter("bus.facts.unpublished", "facts given up because the bus was down; consumers fetch them")
	m.relayLag = histogram("bus.relay.lag", "commit to publication")
	m.applied = counter("bus.facts.applied", "facts applied by a consumer")
	m.lag = histogram("bus.lag", "commit to effect at a consumer")
	m.duplicates = counter("bus.duplicates", "facts that had come before")
	m.fetched = counter("bus.facts.fetched", "facts fetched from their owner")
	m.retries = counter("bus.retries", "attempts that failed for transient reasons")
	m.dead = counter("bus.dead_letters", "facts that became dead letters")
	m.catchUps = counter("bus.catch_ups", "comparisons with the owner after numbers were lost")
	return m, errs
}

// labels are the attributes of a consumer's measurements.
func (m *metrics) labels(service string, c Consumer) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(
		attribute.String("service", service), attribute.String("consumer", c.Name), attribute.String("source", c.From)))
}

// gauges reports what is waiting at a consumer, until the returned function is called.
func (m *metrics) gauges(r *runner) (stop func(), err error) {
	var errs error
	gauge := func(name, what string) metric.Int64ObservableGauge {
		g, err := m.meter.Int64ObservableGauge(name, metric.WithDescription(what))
		errs = errors.Join(errs, err)
		return g
	}
	pending := gauge("bus.pending", "facts that a consumer holds in memory")
	held := gauge("bus.held", "aggregates that wait before they are tried again")
	parked := gauge("bus.parked", "aggregates that wait for a replay")
	facts := gauge("bus.consumer.behind.facts", "facts of the source that have not taken effect at a consumer")
	seconds, err := m.meter.Float64ObservableGauge("bus.consumer.behind",
		metric.WithDescription("age of the oldest fact that has not taken effect at a consumer"), metric.WithUnit("s"))
	if errs = errors.Join(errs, err); errs != nil {
		return func() {}, errs
	}
	labels := r.labels.(metric.ObserveOption)
	reg, err := m.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(pending, r.pending.Load(), labels)
		o.ObserveInt64(held, int64(r.pool.held()), labels)
		o.ObserveInt64(parked, int64(r.parking.count()), labels)
		o.ObserveInt64(facts, r.behind.facts.Load(), labels)
		o.ObserveFloat64(seconds, r.behind.age(r.cfg.Clock.Now(), 3*r.cfg.Timing.Poll).Seconds(), labels)
		return nil
	}, pending, held, parked, facts, seconds)
	if err != nil {
		return func() {}, err
	}
	return func() { _ = reg.Unregister() }, nil // an error means that it is gone already
}
