#!/bin/sh
# Runs all tests. First installs what they need and this host lacks (Debian packages, as root or with sudo); where
# that is not allowed it prints the command and ends. Arguments go to the test programs: tests/all.sh -- --nocapture
#
#   --setup-only   install what is missing and run nothing
#   --no-setup     run the tests with what is there
set -eu

cd "$(dirname "$0")/.."

setup=yes
run=yes
while [ $# -gt 0 ]; do
    case $1 in
        --setup-only) run=no ;;
        --no-setup) setup=no ;;
        --)
            shift
            break
            ;;
        *)
            sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
            exit 2
            ;;
    esac
    shift
done

# A tool that a test calls, and the package that it is in.
missing_packages() {
    while read -r tool package; do
        command -v "$tool" >/dev/null 2>&1 || printf '%s\n' "$package"
    done <<'TOOLS'
cc gcc
jq jq
sha256sum coreutils
gnome-keyring-daemon gnome-keyring
dbus-run-session dbus
dbus-send dbus-bin
keyctl keyutils
python3 python3
tmux tmux
shellcheck shellcheck
runuser util-linux
prometheus prometheus
tinyproxy tinyproxy-bin
microsocks microsocks
prometheus-alertmanager prometheus-alertmanager
patroni patroni
etcd etcd-server
setpriv util-linux
unshare util-linux
nsenter util-linux
faketime faketime
setsid util-linux
kubectl kubernetes-client
make make
rsync rsync
TOOLS
    # Debian splits venv's own pip from Python.
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || printf 'python3-venv\n'
    # Debian keeps the server's programs out of PATH.
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || printf 'postgresql\n'
}

install_packages() {
    packages=$(missing_packages | sort -u | tr '\n' ' ')
    [ -n "$packages" ] || return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        printf 'tests/all.sh: this host has no apt-get; install what these Debian packages have: %s\n' "$packages" >&2
        exit 1
    fi
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        printf 'tests/all.sh: run this, then start again:\n  sudo apt-get install --no-install-recommends %s\n' "$packages" >&2
        exit 1
    fi
    printf 'installing %s\n' "$packages"
    apt_get() {
        # shellcheck disable=SC2086 # two words, or none
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null
    }
    apt_get update
    case " $packages " in
        *" postgresql "*)
            # The tests start servers of their own; the package must not start one on port 5432.
            apt_get install -y --no-install-recommends postgresql-common
            # shellcheck disable=SC2086
            $as_root sed -i 's/^#*create_main_cluster *=.*/create_main_cluster = false/' \
                /etc/postgresql-common/createcluster.conf
            ;;
    esac
    for unit in prometheus prometheus-alertmanager patroni etcd; do
        # Nor these: a unit that is masked is not started by its package.
        case " $packages " in
            *" $unit "* | *" $unit-server "*)
                $as_root mkdir -p /etc/systemd/system
                $as_root ln -sf /dev/null "/etc/systemd/system/$unit.service"
                ;;
        esac
    done
    # shellcheck disable=SC2086 # one word for each package
    apt_get install -y --no-install-recommends $packages
}

# An API server of Kubernetes, built once and kept outside of the tree.
build_kubernetes() {
    [ -z "${KUBEBUILDER_ASSETS:-}" ] || return 0
    tests/support/kube/build.sh >/dev/null
}

# The emulators of AWS and the mail server, in a Python environment of the tests' own; made again when their versions
# change.
install_servers() {
    wanted=$(cat tests/support/*/requirements.txt | sha256sum)
    [ "$(cat tests/.venv/installed 2>/dev/null)" != "$wanted" ] || return 0
    printf 'installing the emulators of AWS and a mail server into tests/.venv\n'
    rm -rf tests/.venv
    python3 -m venv tests/.venv
    tests/.venv/bin/python -m pip install --quiet --disable-pip-version-check \
        -r tests/support/aws/requirements.txt -r tests/support/smtp/requirements.txt
    printf '%s\n' "$wanted" >tests/.venv/installed
}

command -v cargo >/dev/null 2>&1 || {
    printf 'tests/all.sh: cargo is not here; install Rust from https://rustup.rs\n' >&2
    exit 1
}
if [ "$setup" = yes ]; then
    install_packages
    install_servers
    build_kubernetes
fi
[ "$run" = yes ] || exit 0

# Servers of the tests are on this host, whatever proxy it uses.
NO_PROXY=${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost
no_proxy=$NO_PROXY
export NO_PROXY no_proxy

# Benches are left out: they measure. All failures are shown, not only those of the first program.
status=0
# Some tests drive an example, which `cargo test` with chosen targets does not build.
cargo build --locked --examples || status=$?
cargo test --locked --no-fail-fast --lib --bins --tests -- "$@" || status=$?
cargo test --locked --doc || status=$?
exit "$status"
