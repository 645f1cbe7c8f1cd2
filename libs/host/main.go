package host

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Main is the whole main function of a service: it reads the configuration, runs the
// service until SIGTERM or an interrupt, and exits 0 after an orderly end.
//
//	func main() { host.Main("order-release", orderrelease.Defaults(), orderrelease.New) }
func Main[C Settings](name string, defaults C, build func(C, Deps) (*Service, error), opts ...Option) {
	ctx, stop := Signals(context.Background())
	err := Command(Bind(name, defaults, build, opts...)).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:forbidigo // Main is the main function
	}
}

// Signals returns a context that ends with the first SIGTERM or interrupt; the second
// one ends the process at once with exit code 1.
func Signals(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		<-signals
		os.Exit(1) //nolint:forbidigo // the second signal ends the process at once, whatever hangs
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
	}
}

// Command returns the command line of one service.
func Command(u *Unit) *cobra.Command {
	cfg := Defaults()
	return CommandOf(u.Name, "Run the "+u.Name+" service of Lockstep", &cfg, func(ctx context.Context) error {
		return Run(ctx, u.Name, cfg, Parts{}, u)
	}, u)
}

// CommandOf returns the command line of a process that runs the units: run is called once
// cfg and the units' own settings, which hold their defaults, are read from the file, the
// environment and the flags.
func CommandOf(use, short string, cfg *Config, run func(context.Context) error, units ...*Unit) *cobra.Command {
	var file string
	var check, table bool
	cmd := &cobra.Command{
		Use: use, Short: short, Version: version(),
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if table {
				_, err := fmt.Fprint(cmd.OutOrStdout(), ConfigTable(), "\n", ConfigTable(units...))
				return err
			}
			if err := Load(file, os.Environ(), changed(cmd.Flags(), all(cfg, units)), cfg, units...); err != nil {
				return err
			}
			if check {
				_, err := fmt.Fprint(cmd.OutOrStdout(), Describe(cfg, units...))
				return err
			}
			return run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&file, "config", os.Getenv(hostEnv+"CONFIG"), "YAML file with settings")
	cmd.Flags().BoolVar(&check, "check-config", false, "print the settings in force, secrets hidden, and exit; fails if they cannot be")
	cmd.Flags().BoolVar(&table, "config-table", false, "print the tables of settings and exit")
	Flags(cmd.Flags(), cfg, units...)
	return cmd
}

// Flags adds a flag for each setting that is neither secret nor a map: those come from
// the file or the environment.
func Flags(flags *pflag.FlagSet, cfg *Config, units ...*Unit) {
	for _, s := range all(cfg, units) {
		if !s.secret && s.value.Kind() != reflect.Map {
			flags.String(s.key, s.text(), s.doc)
		}
	}
}

// changed returns the settings that were given as flags.
func changed(flags *pflag.FlagSet, known []setting) map[string]string {
	given := map[string]string{}
	for _, s := range known {
		if f := flags.Lookup(s.key); f != nil && f.Changed {
			given[s.key] = f.Value.String()
		}
	}
	return given
}

// version names the build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
