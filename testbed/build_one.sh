# Sourced by the build scripts beside it: builds programs of one Go module into build/testbed/.
if ! command -v go >/dev/null; then
  echo "$0: there is no 'go' in PATH; install Go 1.26 or newer" >&2
  exit 1
fi
export GOTOOLCHAIN=local GOFLAGS="-mod=readonly -trimpath -buildvcs=false" CGO_ENABLED=0

build_one() {  # <module folder> <output folder> <program=package>...
  local module=$1 name=$2 to=$out/$2 key started=$SECONDS
  shift 2
  key=$({ go version; cat "$module/go.mod" "$module/go.sum"; } | sha256sum)
  mkdir -p "$to"
  exec 9>"$to/.lock"
  flock 9
  if [[ -f $to/.key && $(<"$to/.key") == "$key" ]]; then
    echo "$name: up to date"
    return
  fi
  rm -f "$to/.key"
  local pair
  for pair in "$@"; do
    # Renamed into place: a program that is running meanwhile is not written to.
    (cd "$module" && go build -ldflags "-s -w" -o "$to/.new-${pair%%=*}" "${pair#*=}")
    mv "$to/.new-${pair%%=*}" "$to/${pair%%=*}"
  done
  echo "$key" >"$to/.key"
  echo "$name: built in $((SECONDS - started)) s"
}
