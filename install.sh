#!/bin/sh
# Installs lifeboat: the program, completions for bash, zsh and fish, and the man page.
# For one user (~/.local) unless told otherwise. Needs no root, changes no shell profile, and can take back
# exactly what it installed. Run with --help for the options.
set -eu
# Other users must be able to read what is installed for them.
umask 022

usage() {
    cat <<'USAGE'
Usage: ./install.sh [OPTIONS]

Installs lifeboat for this user, under ~/.local.

  --system        install for all users, under /usr/local (needs the right to write there)
  --prefix DIR    install under DIR
  --from FILE     install this lifeboat program instead of building one with cargo
  --without-aws   build it without the probes and actions for AWS, in a fraction of the time
  --uninstall     remove what was installed under the same prefix, and nothing else
  --dry-run       say what would be done, and do nothing
  -h, --help      show this help
USAGE
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit 1
}

prefix=
from=
features=
uninstall=no
dry_run=no
while [ $# -gt 0 ]; do
    case $1 in
        --system) prefix=/usr/local ;;
        --prefix)
            [ $# -ge 2 ] || fail "--prefix needs a folder"
            prefix=$2
            shift
            ;;
        --from)
            [ $# -ge 2 ] || fail "--from needs a file"
            from=$2
            shift
            ;;
        --without-aws) features='--no-default-features --features kube' ;;
        --uninstall) uninstall=yes ;;
        --dry-run) dry_run=yes ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown option: $1"
            ;;
    esac
    shift
done

if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set; name a folder with --prefix"
    prefix=$HOME/.local
fi
case $prefix in
    /*) ;;
    *) prefix=$(pwd)/$prefix ;;
esac
case $prefix in
    *'
'*) fail "the prefix must not contain a newline" ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
# A line for each installed file, its SHA-256 and its path below the prefix, and for each folder that was made,
# the word "folder" and its path.
manifest=$prefix/share/lifeboat/install-manifest

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum <"$1" | cut -d ' ' -f 1
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    else
        fail "neither sha256sum nor shasum is here; install coreutils"
    fi
}

if [ "$uninstall" = yes ]; then
    [ -f "$manifest" ] || fail "nothing is installed under $prefix (there is no $manifest)"
    if [ "$dry_run" = no ] && ! [ -w "$(dirname "$manifest")" ]; then
        fail "$prefix is not writable; run this as the user that installed it"
    fi
    kept=no
    folders=
    while read -r sum path; do
        file=$prefix/$path
        case /$path/ in
            */../*) fail "the manifest names a file outside the prefix: $path" ;;
        esac
        if [ "$sum" = folder ]; then
            folders="$path
$folders"
        elif ! [ -f "$file" ]; then
            printf 'missing    %s\n' "$file"
        elif [ "$(sha256 "$file")" != "$sum" ]; then
            # Somebody put something else there; it is not ours to remove.
            printf 'kept       %s (changed since it was installed)\n' "$file"
            kept=yes
        elif [ "$dry_run" = yes ]; then
            printf 'would remove %s\n' "$file"
        else
            rm -f "$file"
            printf 'removed    %s\n' "$file"
        fi
    done <"$manifest"
    if [ "$dry_run" = yes ]; then
        printf 'would remove %s\n' "$manifest"
    else
        rm -f "$manifest"
        printf 'removed    %s\n' "$manifest"
        # The last made first; a folder that others use by now is not empty and stays.
        printf '%s' "$folders" | while read -r path; do
            if rmdir "$prefix/$path" 2>/dev/null; then
                printf 'removed    %s/\n' "$prefix/$path"
            fi
        done
    fi
    [ "$kept" = no ] || printf 'Files that were changed were kept.\n'
    exit 0
fi

if [ -z "$from" ]; then
    command -v cargo >/dev/null 2>&1 || fail "cargo is not here; install Rust (https://rustup.rs), or use --from FILE"
    [ -f "$here/Cargo.toml" ] || fail "there is no source beside this script; use --from FILE"
    target=${CARGO_TARGET_DIR:-$here/target}
    from=$target/release/lifeboat
    if [ "$dry_run" = yes ]; then
        printf 'would build %s%s\n' "$from" "${features:+ ($features)}"
    else
        printf 'building   %s\n' "$from"
        # shellcheck disable=SC2086 # one word, or none
        (cd "$here" && cargo build --release --locked $features) || fail "the build failed; nothing was installed"
    fi
elif ! [ -f "$from" ]; then
    fail "$from does not exist"
fi

program=bin/lifeboat
bash_file=share/bash-completion/completions/lifeboat
zsh_file=share/zsh/site-functions/_lifeboat
fish_file=share/fish/vendor_completions.d/lifeboat.fish
man_file=share/man/man1/lifeboat.1

if [ "$dry_run" = yes ]; then
    for path in "$program" "$bash_file" "$zsh_file" "$fish_file" "$man_file"; do
        printf 'would install %s\n' "$prefix/$path"
    done
    printf 'would write   %s\n' "$manifest"
    exit 0
fi

# Everything is made and checked here before anything under the prefix changes.
staging=$(mktemp -d "${TMPDIR:-/tmp}/lifeboat-install.XXXXXX")
trap 'rm -rf "$staging"' EXIT
trap 'exit 1' HUP INT TERM

cp "$from" "$staging/lifeboat"
chmod 755 "$staging/lifeboat"
[ "$(sha256 "$from")" = "$(sha256 "$staging/lifeboat")" ] || fail "the copy of $from differs from it; is the disk full?"
# A script of one line tells a folder that runs nothing from a program that does not run here.
printf '#!/bin/sh\nexit 0\n' >"$staging/try"
chmod 755 "$staging/try"
"$staging/try" 2>/dev/null ||
    fail "nothing can be executed in ${TMPDIR:-/tmp}: it is mounted noexec; set TMPDIR to another folder (TMPDIR=\$HOME sh install.sh …)"
version=$("$staging/lifeboat" --version </dev/null) || fail "$from does not run on this host"
case $version in
    lifeboat\ *) ;;
    *) fail "$from is not lifeboat: it calls itself \"$version\"" ;;
esac
generate() {
    "$staging/lifeboat" generate "$@" </dev/null || fail "$from cannot generate: $*"
}
generate completions bash >"$staging/bash"
generate completions zsh >"$staging/zsh"
generate completions fish >"$staging/fish"
generate man >"$staging/man"
for file in bash zsh fish man; do
    [ -s "$staging/$file" ] || fail "$from generated nothing for $file"
done

: >"$staging/manifest"
touch "$staging/before"
if [ -f "$manifest" ]; then
    cp "$manifest" "$staging/before"
fi

# What is installed by now, and what an earlier installation left and was not replaced yet: an installation that
# breaks off can be taken back as well.
write_manifest() {
    cat "$staging/before" "$staging/manifest" >"$manifest.new.$$" || fail "cannot write $manifest"
    mv -f "$manifest.new.$$" "$manifest"
}

# Makes a folder below the prefix and notes each one that was not there before.
make_folder() {
    [ -d "$prefix/$1" ] && return 0
    if [ "$1" != . ]; then
        make_folder "$(dirname "$1")"
        mkdir "$prefix/$1" 2>/dev/null || fail "$prefix is not writable; use --prefix DIR, or run as root for --system"
    else
        mkdir -p "$prefix" 2>/dev/null || fail "cannot make $prefix; use --prefix DIR, or run as root for --system"
    fi
    printf 'folder %s\n' "$1" >>"$staging/manifest"
}

# Beside its place first, then renamed over it: a program that runs is never half-written.
install_file() {
    source=$1 path=$2 mode=$3
    file=$prefix/$path
    make_folder "$(dirname "$path")"
    cp "$source" "$file.new.$$" || fail "cannot write $file"
    chmod "$mode" "$file.new.$$"
    sum=$(sha256 "$source")
    if [ "$(sha256 "$file.new.$$")" != "$sum" ]; then
        rm -f "$file.new.$$"
        fail "what was written to $file differs from its source; is the disk full?"
    fi
    mv -f "$file.new.$$" "$file"
    awk -v path="$path" '$2 != path' "$staging/before" >"$staging/before.new"
    mv "$staging/before.new" "$staging/before"
    printf '%s %s\n' "$sum" "$path" >>"$staging/manifest"
    write_manifest
    printf 'installed  %s\n' "$file"
}

make_folder share/lifeboat
write_manifest
install_file "$staging/lifeboat" "$program" 755
install_file "$staging/bash" "$bash_file" 644
install_file "$staging/zsh" "$zsh_file" 644
install_file "$staging/fish" "$fish_file" 644
install_file "$staging/man" "$man_file" 644

installed=$("$prefix/$program" --version </dev/null) || fail "$prefix/$program does not run; is $prefix mounted noexec?"
printf 'manifest   %s\n' "$manifest"
printf 'Installed %s (sha256 %s).\n' "$installed" "$(sha256 "$prefix/$program")"
case :${PATH:-}: in
    *:"$prefix/bin":*) ;;
    *) printf 'Note: %s is not in your PATH; add it, or run %s.\n' "$prefix/bin" "$prefix/$program" ;;
esac
printf 'To remove it: %s/install.sh --prefix %s --uninstall\n' "$here" "$prefix"
