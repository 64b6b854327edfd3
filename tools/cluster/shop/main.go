// A web application that says which color and release it is: the HTTP contract of
// examples/onprem/app/app.py, as a static program for an image without a system.
//
//	PORT                   where it listens (8080)
//	APP_MODE               normal, slow, broken or never-ready
//	APP_WARM_UP_SECONDS    how long it is not ready at first (0)
//	APP_DRAIN_SECONDS      how long it goes on after SIGTERM, not ready, closing each connection
//	                       after its next answer (0: it ends at once, whatever is under way)
//	BLUEGREEN_COLOR, BLUEGREEN_RELEASE
//
// Beyond it, /metrics has the gauge shop_open_connections: those on which somebody has asked for
// more than what probes and metrics do, and not through the API server's proxy, as gates do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	slowModeDelay = 200 * time.Millisecond
	longestSlow   = 60_000
	lastAnswers   = 5 * time.Second
)

var modes = []string{"normal", "slow", "broken", "never-ready"}

type shop struct {
	color, release, mode string
	readyFrom            time.Time
	draining             atomic.Bool
	answered             atomic.Int64
	accepted, open       atomic.Int64
	ofClients            atomic.Int64
	clients              sync.Map
}

// clientKey finds whether a connection counts as a client's: somebody has asked for more on it than
// what probes and metrics do.
type clientKey struct{}

func main() {
	warmUp, drain := seconds("APP_WARM_UP_SECONDS"), seconds("APP_DRAIN_SECONDS")
	app := &shop{
		color:     setting("BLUEGREEN_COLOR", "unknown"),
		release:   setting("BLUEGREEN_RELEASE", "unknown"),
		mode:      setting("APP_MODE", "normal"),
		readyFrom: time.Now().Add(warmUp),
	}
	if !slices.Contains(modes, app.mode) {
		refuse("mode %q is none of %s", app.mode, strings.Join(modes, ", "))
	}
	server := &http.Server{
		Addr:      ":" + setting("PORT", "8080"),
		Handler:   http.HandlerFunc(app.serve),
		ConnState: app.count,
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			counted := new(bool)
			app.clients.Store(conn, counted)
			return context.WithValue(ctx, clientKey{}, counted)
		},
	}
	ended := make(chan struct{})
	go app.endWhenTold(server, drain, ended)
	fmt.Printf("%s %s serves on %s\n", app.color, app.release, server.Addr)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Fprintf(os.Stderr, "cannot listen on %s: %s; nothing is served\n", server.Addr, err)
		os.Exit(1)
	}
	<-ended
}

// endWhenTold goes on serving for the time of the drain: others learn late that this one ends.
func (app *shop) endWhenTold(server *http.Server, drain time.Duration, ended chan<- struct{}) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
	if drain == 0 {
		os.Exit(0)
	}
	app.draining.Store(true)
	time.Sleep(drain)
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	_ = server.Shutdown(ctx)
	close(ended)
}

func (app *shop) condition() string {
	if app.draining.Load() {
		return "draining"
	}
	if app.mode == "never-ready" || time.Now().Before(app.readyFrom) {
		return "warming up"
	}
	return "ready"
}

func (app *shop) serve(w http.ResponseWriter, r *http.Request) {
	if app.mode == "slow" {
		time.Sleep(slowModeDelay)
	}
	app.countClient(r)
	status, body := app.answer(r)
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	if strings.HasPrefix(body, "{") {
		header.Set("Content-Type", "application/json")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Bluegreen-Color", app.color)
	header.Set("X-Bluegreen-Release", app.release)
	header.Set("X-Bluegreen-Condition", app.condition())
	if app.draining.Load() {
		header.Set("Connection", "close")
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
	app.answered.Add(1)
}

func (app *shop) answer(r *http.Request) (int, string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return http.StatusMethodNotAllowed, "only GET and HEAD\n"
	}
	switch {
	case r.URL.Path == "/health/ready":
		return app.readiness()
	case r.URL.Path == "/health/live":
		return http.StatusOK, "alive\n"
	case r.URL.Path == "/metrics":
		return http.StatusOK, fmt.Sprintf(
			"# TYPE shop_open_connections gauge\nshop_open_connections %d\n", app.ofClients.Load(),
		)
	case app.mode == "broken":
		return http.StatusInternalServerError, "broken\n"
	}
	switch r.URL.Path {
	case "/":
		return http.StatusOK, app.color + " " + app.release + "\n"
	case "/health/dependencies":
		return http.StatusOK, `{"database": {"status": "healthy"}}` + "\n"
	case "/version":
		return http.StatusOK, fmt.Sprintf(`{"version": %s, "color": %s}`+"\n", text(app.release), text(app.color))
	case "/slow":
		return slow(r)
	case "/stats":
		return http.StatusOK, fmt.Sprintf(
			`{"answered": %d, "connections_accepted": %d, "connections_open": %d}`+"\n",
			app.answered.Load(), app.accepted.Load(), app.open.Load(),
		)
	}
	return http.StatusNotFound, "not found\n"
}

func (app *shop) readiness() (int, string) {
	condition := app.condition()
	if condition == "ready" {
		return http.StatusOK, condition + "\n"
	}
	return http.StatusServiceUnavailable, condition + "\n"
}

func slow(r *http.Request) (int, string) {
	asked := "50"
	if r.URL.Query().Has("ms") {
		asked = r.URL.Query().Get("ms")
	}
	ms, err := strconv.ParseUint(asked, 10, 32)
	if err != nil || ms > longestSlow {
		return http.StatusBadRequest, fmt.Sprintf("ms must be a whole number from 0 to %d\n", longestSlow)
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return http.StatusOK, fmt.Sprintf("after %s ms\n", asked)
}

func (app *shop) count(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		app.accepted.Add(1)
		app.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		app.open.Add(-1)
		app.forgetClient(conn)
	}
}

// countClient and forgetClient run in the connection's own goroutine, one after the other.
func (app *shop) countClient(r *http.Request) {
	// The API server's proxy keeps its connection for the next one who asks through it.
	isProxied := r.Header.Get("X-Forwarded-Uri") != ""
	if isProxied || r.URL.Path == "/metrics" || strings.HasPrefix(r.URL.Path, "/health/") {
		return
	}
	if counted := r.Context().Value(clientKey{}).(*bool); !*counted {
		*counted = true
		app.ofClients.Add(1)
	}
}

func (app *shop) forgetClient(conn net.Conn) {
	if counted, ok := app.clients.LoadAndDelete(conn); ok && *counted.(*bool) {
		app.ofClients.Add(-1)
	}
}

func text(value string) string {
	encoded, _ := json.Marshal(value)
	return string(encoded)
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func seconds(name string) time.Duration {
	value, err := strconv.ParseFloat(setting(name, "0"), 64)
	if err != nil || value < 0 || value > 3600 {
		refuse("%s is %q and must be seconds, from 0 to 3600", name, os.Getenv(name))
	}
	return time.Duration(value * float64(time.Second))
}

func refuse(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"; nothing is served\n", values...)
	os.Exit(2)
}
