package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite"
)

// demo is the command that walks real orders on a fresh suite and tells the story of one.
func demo() *cobra.Command {
	exit := os.Getenv("DEMO_EXIT") != "" && os.Getenv("DEMO_EXIT") != "0"
	var data dataset
	cmd := &cobra.Command{
		Use: "demo", Short: "Walk orders from the ERP to the settled freight invoice and a return, and tell their story",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tell, err := data.teller()
			if err != nil {
				return err
			}
			return withSuite(cmd.Context(), func(ctx context.Context, s *suite.Suite) error {
				out := cmd.OutOrStdout()
				err := tell(ctx, s, out)
				if exit && err != nil {
					return errors.New("the demo did not reach its end: " + err.Error()) // whatever ended it, an interrupt too
				}
				if exit || ctx.Err() != nil {
					return err
				}
				if err != nil {
					_, _ = fmt.Fprintf(out, "The demo did not reach its end: %v\n\n", err)
				}
				announce(out, s) // also then: one may look at what is there
				return errors.Join(err, s.Run(ctx))
			})
		},
	}
	data.flags(cmd)
	cmd.Flags().BoolVar(&exit, "exit", exit, "end when the story is told, exit code 0 only if every step reached its end (DEMO_EXIT=1)")
	return cmd
}

// withSuite runs do on a suite with its data in a folder of its own, which goes when it ends.
func withSuite(ctx context.Context, do func(context.Context, *suite.Suite) error) error {
	data, err := os.MkdirTemp("", "lockstep-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(data) }() // a demo keeps nothing
	s, err := suite.New()
	if err != nil {
		return err
	}
	logs, err := os.Create(filepath.Join(data, "lockstep.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }() // goes with its folder
	s.Data, s.Log = data, logs
	settings := []string{"LOCKSTEP_LOG__LEVEL=warn"}
	if busy("127.0.0.1:8080") {
		settings = append(settings, "GATEWAY__LISTEN=127.0.0.1:0")
	}
	if err := host.Load("", append(settings, os.Environ()...), nil, &s.Config, s.Units...); err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	err = do(ctx, s)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // that is how a demo that was left up ends
	}
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

// busy reports whether something listens at the address already.
func busy(address string) bool {
	l, err := net.Listen("tcp", address)
	if err == nil {
		_ = l.Close() // it was only tried
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

// tellWithin bounds the whole story, if nothing else is said.
const tellWithin = 2 * time.Minute

// tell walks all scenarios, each to its expected end, prints the story of the first and the
// outcome of all. It fails unless all reach their end within the time.
func tell(parent context.Context, s *suite.Suite, within time.Duration, out io.Writer) error {
	ctx, cancel := context.WithTimeout(parent, within)
	defer cancel()
	begin := time.Now()
	client := &sandbox.Client{Base: s.URL(), Token: s.AdminToken(), HTTP: &http.Client{Timeout: 30 * time.Second}}
	carriers := guard.AdminCaller(s.AdminTenant())
	carriers.Principal = "carriers"
	token, err := s.Token(carriers)
	if err != nil {
		return err
	}
	cast := sandbox.NewCast(client, &sandbox.Client{Base: client.Base, Token: token, HTTP: client.HTTP})
	if err := cast.ERP.Setup(ctx); err != nil {
		return fmt.Errorf("sample company: %w", err)
	}
	scenarios := sandbox.Scenarios("SO-")
	reports, errs := make([]*sandbox.Report, len(scenarios)), make([]error, len(scenarios))
	var group sync.WaitGroup
	for i, scenario := range scenarios {
		group.Go(func() { reports[i], errs[i] = sandbox.Walk(ctx, cast, scenario) })
	}
	group.Wait()
	_, _ = fmt.Fprintf(out, "The story of order %s: %s\n\n", scenarios[0].Number, scenarios[0].Title)
	told, enough := context.WithTimeout(parent, time.Minute) // the story is told even when an order takes too long
	defer enough()
	errs = append(errs, sandbox.Story(told, client, scenarios[0].Number, out))
	_, _ = fmt.Fprintln(out)
	for i, scenario := range scenarios {
		outcome := "reached its end"
		if errs[i] != nil || len(reports[i].Failed()) > 0 {
			outcome = fmt.Sprintf("did NOT reach its end: %v\n%v", errs[i], reports[i])
		}
		_, _ = fmt.Fprintf(out, "%-9s %-8s %s: %s\n", scenario.Number, scenario.Name, scenario.Title, outcome)
	}
	_, _ = fmt.Fprintf(out, "%d orders in %.1f s\n\n", len(scenarios), time.Since(begin).Seconds())
	return errors.Join(errs...)
}
