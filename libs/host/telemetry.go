package host

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// telemetry is a process's traces, metrics and logs. Prometheus metrics are always
// there; anything is exported by OTLP when the OTEL_… variables say where to.
type telemetry struct {
	log      *slog.Logger
	tracer   trace.TracerProvider
	meter    metric.MeterProvider
	registry *prometheus.Registry
	shutdown []func(context.Context) error
}

func newTelemetry(ctx context.Context, process string, cfg Config, w io.Writer) (*telemetry, error) {
	t := &telemetry{registry: prometheus.NewRegistry()}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	res, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", process)))
	if err != nil {
		return nil, err
	}
	err = errors.Join(t.startTraces(ctx, res, cfg.Telemetry.Sample), t.startMetrics(ctx, res), t.startLogs(ctx, res, process, cfg.Log, w))
	if err != nil {
		return nil, errors.Join(err, t.close(ctx))
	}
	otel.SetTracerProvider(t.tracer) // for libraries that take the process's own
	otel.SetMeterProvider(t.meter)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return t, nil
}

// exporting reports whether the environment says where a signal goes.
func exporting(signal string) bool {
	if e := os.Getenv("OTEL_" + signal + "_EXPORTER"); e != "" {
		return e != "none"
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}

func (t *telemetry) startTraces(ctx context.Context, res *resource.Resource, sample float64) error {
	// Without an exporter spans are not recorded, but still have ids that logs and facts carry.
	opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(sdktrace.NeverSample())}
	if exporting("TRACES") {
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return err
		}
		opts = append(opts, sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(sample))))
	}
	p := sdktrace.NewTracerProvider(opts...)
	t.tracer = p
	t.shutdown = append(t.shutdown, p.Shutdown)
	return nil
}

func (t *telemetry) startMetrics(ctx context.Context, res *resource.Resource) error {
	reader, err := otelprom.New(otelprom.WithRegisterer(t.registry), otelprom.WithoutScopeInfo(), otelprom.WithoutTargetInfo())
	if err != nil {
		return err
	}
	opts := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(reader)}
	if exporting("METRICS") {
		other, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return err
		}
		opts = append(opts, sdkmetric.WithReader(other))
	}
	p := sdkmetric.NewMeterProvider(opts...)
	t.meter = p
	t.shutdown = append(t.shutdown, p.Shutdown)
	return nil
}

func (t *telemetry) startLogs(ctx context.Context, res *resource.Resource, process string, cfg Log, w io.Writer) error {
	if !exporting("LOGS") {
		t.log = newLog(cfg, w)
		return nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return err
	}
	p := sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	t.shutdown = append(t.shutdown, p.Shutdown)
	t.log = newLog(cfg, w, otelslog.NewHandler(process, otelslog.WithLoggerProvider(p)))
	return nil
}

// close sends what is not sent yet.
func (t *telemetry) close(ctx context.Context) error {
	var errs []error
	for _, f := range t.shutdown {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
