#!/bin/sh
# Builds a Kubernetes API server and controller manager from Debian's source package, for the tests: nobody packages them.
# Prints the folder that they are in. They are kept outside the tree and built once; nothing is installed on the host.
#
#   tests/support/kube/build.sh          prints the folder, builds when it is empty
set -eu

version=1.20.2
debian=1.20.5+really1.20.2-1.1+deb12u1
cache=${LIFEBOAT_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lifeboat-tests}
folder=$cache/kubernetes-$version

if [ -x "$folder/kube-apiserver" ] && [ -x "$folder/kube-controller-manager" ]; then
    printf '%s\n' "$folder"
    exit 0
fi

begun=$(date +%s)
say() { printf '%s\n' "$*" >&2; }
say "building Kubernetes $version for the tests, once, into $folder: about 10 minutes on two cores"
mkdir -p "$cache"
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT

# APT with lists of its own: the host's stay as they are.
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/get"
key=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=http://deb.debian.org/debian
printf 'deb [signed-by=%s] %s bookworm main\ndeb-src [signed-by=%s] %s bookworm main\n' \
    "$key" "$mirror" "$key" "$mirror" >"$work/apt/sources.list"
apt_get() {
    apt-get -qq -o APT::Sandbox::User= -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt" -o Dir::Cache::archives="$work/apt/archives" "$@" >&2
}
apt_get update
(
    cd "$work/get"
    apt_get source --download-only "kubernetes=$debian"
    apt_get download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
    for package in *.deb; do dpkg-deb -x "$package" "$work/root"; done
)
go=$work/root/usr/lib/go-1.19
# Debian's links lead to the root of the host.
for name in src api test misc; do
    [ ! -L "$go/$name" ] || ln -sfn "../../share/go-1.19/$name" "$go/$name"
done
source=$work/go/src/k8s.io/kubernetes
mkdir -p "$source"
tar -xzf "$work"/get/kubernetes_*.orig.tar.gz -C "$source" --strip-components=1

# The copy of reflect2 that it brings crashes the server under Go 1.18 and newer (modern-go/reflect2, 1.0.2).
reflect2=$source/vendor/github.com/modern-go/reflect2
for file in "$work"/root/usr/share/gocode/src/github.com/modern-go/reflect2/*.go \
    "$work"/root/usr/share/gocode/src/github.com/modern-go/reflect2/*.s; do
    cp "$file" "$reflect2/"
done
rm -f "$reflect2/go_above_17.go" "$reflect2/go_below_17.go" "$reflect2/go_below_19.go" "$reflect2"/*_test.go

(
    cd "$source"
    env -i PATH="$go/bin:$PATH" HOME="$work" GOROOT="$go" GOPATH="$work/go" GOCACHE="$work/gocache" GOFLAGS=-buildvcs=false \
        GOPROXY=off GO111MODULE=off FORCE_HOST_GO=y KUBE_GIT_VERSION="v$version" KUBE_GIT_TREE_STATE=archive \
        KUBE_GIT_COMMIT=0 make WHAT="cmd/kube-apiserver cmd/kube-controller-manager" >&2
)
mkdir -p "$work/done"
cp "$source/_output/bin/kube-apiserver" "$source/_output/bin/kube-controller-manager" "$work/done/"
strip "$work/done"/* || true
rm -rf "$folder"
mv "$work/done" "$folder"
say "Kubernetes $version was built in $(($(date +%s) - begun)) s"
printf '%s\n' "$folder"
