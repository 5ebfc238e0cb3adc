package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
)

// A Front ends TLS before an API server, so that it sees requests and can answer them by errors of its own. Who the
// client is by its certificate it passes on in the headers of an authenticating proxy; tokens go through as they are.
type Front struct {
	Gate      *Gate           // whose rules it obeys
	Target    string          // host:port of the API server
	Serving   tls.Certificate // shown to clients
	ClientCAs *x509.CertPool  // that clients' certificates are checked by
	Identity  tls.Certificate // shown to the API server, which lets its holder speak for others
	ServerCAs *x509.CertPool  // that the API server's certificate is checked by
	Log       *log.Logger
}

// Serve answers until the listener is closed.
func (f *Front) Serve(listener net.Listener) error {
	passOn := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "https", Host: f.Target})
			identify(request)
		},
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{Certificates: []tls.Certificate{f.Identity}, RootCAs: f.ServerCAs},
			ForceAttemptHTTP2: true,
		},
		FlushInterval: -1, // a watch's events are passed on as they come
		ErrorLog:      f.Log,
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			if !f.Gate.answers(answer, request, writeStatus) {
				passOn.ServeHTTP(answer, request)
			}
		}),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{f.Serving},
			ClientCAs:    f.ClientCAs,
			ClientAuth:   tls.VerifyClientCertIfGiven,
		},
		ErrorLog: f.Log,
	}
	return server.ServeTLS(listener, "", "")
}

func identify(request *httputil.ProxyRequest) {
	header := request.Out.Header
	for name := range header {
		if len(name) > 9 && http.CanonicalHeaderKey(name[:9]) == "X-Remote-" {
			header.Del(name)
		}
	}
	if certificates := request.In.TLS.PeerCertificates; len(certificates) > 0 {
		subject := certificates[0].Subject
		header.Set("X-Remote-User", subject.CommonName)
		header["X-Remote-Group"] = append([]string{"system:authenticated"}, subject.Organization...)
	} else if header.Get("Authorization") == "" {
		// Else the proxy's own certificate would make the client the proxy's user.
		header.Set("X-Remote-User", "system:anonymous")
		header.Set("X-Remote-Group", "system:unauthenticated")
	}
}

// Says whether the rule is for this request, and if so answers it: the headers here, the rest by write.
func (g *Gate) answers(answer http.ResponseWriter, request *http.Request, write func(http.ResponseWriter, int)) bool {
	rule, _ := g.current()
	switch {
	case rule.Status == 0,
		rule.Method != "" && rule.Method != request.Method,
		rule.path != nil && !rule.path.MatchString(request.URL.RequestURI()),
		rule.Share > 0 && rand.Float64() >= rule.Share,
		!g.take():
		return false
	}
	// Who is told so while it still sends may meet the end of the connection before the answer.
	_, _ = io.Copy(io.Discard, request.Body)
	if rule.RetryAfter > 0 {
		answer.Header().Set("Retry-After", strconv.Itoa(rule.RetryAfter))
	}
	write(answer, rule.Status)
	return true
}

func writeStatus(answer http.ResponseWriter, status int) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(status)
	_ = json.NewEncoder(answer).Encode(map[string]any{
		"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": status,
		"reason": reasons[status], "message": "the bed was told to answer so",
	})
}

// As the API server names them (metav1.StatusReason).
var reasons = map[int]string{
	401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 429: "TooManyRequests",
	500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}
