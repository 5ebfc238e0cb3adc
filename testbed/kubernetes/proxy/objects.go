package proxy

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// An ObjectFront sees the requests to an S3 server, which come by plain HTTP, so that it can answer them by errors of
// its own. The rest goes through as it is, the name that the client gave the server included: that is signed.
type ObjectFront struct {
	Gate   *Gate  // whose rules it obeys
	Target string // host:port of the server
	Log    *log.Logger
}

// Serve answers until the listener is closed.
func (f *ObjectFront) Serve(listener net.Listener) error {
	passOn := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "http", Host: f.Target})
			request.Out.Host = request.In.Host
		},
		// Not compressed on the way: what a client did not ask for would change length and digest.
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32},
		FlushInterval: -1,
		ErrorLog:      f.Log,
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			if !f.Gate.answers(answer, request, writeError) {
				passOn.ServeHTTP(answer, request)
			}
		}),
		ErrorLog: f.Log,
	}
	return server.Serve(listener)
}

func writeError(answer http.ResponseWriter, status int) {
	answer.Header().Set("Content-Type", "application/xml")
	answer.WriteHeader(status)
	code := codes[status]
	if code == "" {
		code = "InternalError"
	}
	fmt.Fprintf(answer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>the bed was told to answer "+
		"so</Message></Error>", code)
}

// As S3 names them.
var codes = map[int]string{
	400: "BadRequest", 403: "AccessDenied", 404: "NoSuchKey", 409: "OperationAborted", 412: "PreconditionFailed",
	429: "TooManyRequests", 500: "InternalError", 503: "SlowDown",
}
