# shellcheck shell=bash
# What the scripts share: a stage with its time, and an end that says how it ended. Sourced, not run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
stages=""
PATH=$PATH:/usr/sbin:/sbin # where root's own commands are, also for a root who came by su(1)

# stage TITLE COMMAND...: run a command, and say how long it took
stage() {
    local title=$1 began=$SECONDS
    shift
    printf '\n==> %s\n' "$title"
    if ! "$@"; then
        printf '\n%s failed after %d s: %s\n' "$title" $((SECONDS - began)) "$*" >&2
        exit 1
    fi
    stages+=$(printf '%6d s  %s' $((SECONDS - began)) "$title")$'\n'
}

# beside TITLE COMMAND...: begin a stage that runs beside others, when there is a place for it: more at once than the
# machine can do makes all slower than their patience. Each of its lines says whose it is, and what is red is told once
# more at the end, where nobody has to look for it.
declare -A running=()
declare -A failed=()
places=$(nproc)
told=""
beside() {
    local title=$1
    shift
    [ -n "$told" ] || told=$(mktemp -d)
    while [ ${#running[@]} -ge "$places" ]; do one_ends; done
    ("$@" 2>&1 | tee "$told/$title" | sed -u "s/^/[$title] /") &
    running[$!]=$title
}

one_ends() {
    local pid status=0
    wait -n -p pid "${!running[@]}" || status=$?
    if [ "$status" = 0 ]; then
        stages+=$(printf '%6d s  %s' "$SECONDS" "${running[$pid]}, at the end of which")$'\n'
    else
        printf '\n%s failed after %d s\n' "${running[$pid]}" "$SECONDS" >&2
        failed[${running[$pid]}]=$SECONDS
    fi
    unset "running[$pid]"
}

# together: wait for all that run beside each other, and fail if one of them does, at the end
together() {
    local title
    while [ ${#running[@]} -gt 0 ]; do one_ends; done
    for title in "${!failed[@]}"; do
        printf '\nfailed: %s, after %d s\n' "$title" "${failed[$title]}"
        reasons "$told/$title"
    done >&2
    rm -r "$told"
    told=""
    [ ${#failed[@]} -eq 0 ]
}

# reasons FILE: of what a part said, what pytest, mypy and ruff call an error; its last lines, if there is none
reasons() {
    local found
    found=$(grep -aE '^(E  |FAILED |ERROR )|error:' "$1" | cut -c 1-300 | tail -n 60) || found=$(tail -n 20 "$1")
    printf '%s\n' "$found"
}

# times: what each stage took
times() {
    printf '\n%s%6d s  in all\n' "$stages" "$SECONDS"
}

# have PACKAGE...: install what is missing
have() {
    local package missing=""
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=" $package"
    done
    if [ -z "$missing" ]; then
        echo "there already: $*"
        return
    fi
    echo "installing:$missing"
    # shellcheck disable=SC2086  # one word a package
    apt-get update -q=2 && DEBIAN_FRONTEND=noninteractive apt-get install -q=2 --no-install-recommends $missing > /dev/null
}

need_root() {
    if [ "$(id -u)" != 0 ]; then
        echo "$0 needs root; type: sudo $0" >&2
        exit 1
    fi
}
