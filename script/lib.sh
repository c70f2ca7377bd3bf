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

# times: what each stage took
times() {
    printf '\n%s%6d s  in all\n' "$stages" "$SECONDS"
}

need_root() {
    if [ "$(id -u)" != 0 ]; then
        echo "$0 starts test hosts, which takes root; type: sudo $0" >&2
        exit 1
    fi
}
