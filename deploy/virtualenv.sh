#!/usr/bin/env bash
# virtualenv.sh DIR [PYTHON]: make a virtualenv, or renew it, and say with which interpreter.
#
# PYTHON wins. Without it a virtualenv that is already there keeps its interpreter. For a new one, an interpreter
# on the PATH is taken that was built with profile-guided optimization, because it runs streamseg about a tenth
# faster; otherwise the first one that is new enough. One that cannot make a virtualenv is passed over.
set -euo pipefail

dir=${1:?usage: virtualenv.sh DIR [PYTHON]}
given=${2:-}

# Prints "yes" or "no", whether the interpreter was built with profile-guided optimization, and its version;
# fails if it is older than 3.11. Debian does not name --enable-optimizations, but builds with a profile and
# then empties PGO_PROF_USE_FLAG, so that extension modules are not built with it.
describe() {
    "$1" -c '
import platform, sys, sysconfig
if sys.version_info < (3, 11):
    sys.exit(1)
optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
debian = sysconfig.get_config_var("PGO_PROF_USE_FLAG") == ""
print("yes" if optimized or debian else "no", platform.python_version())
' 2>/dev/null
}

make_with() {
    local python=$1 optimized version fault
    read -r optimized version <<<"$(describe "$python")"
    if ! fault=$("$python" -m venv "$dir" 2>&1); then
        echo "$python cannot make a virtualenv: $(head -n 1 <<<"$fault")" >&2
        return 1
    fi
    if [[ $optimized == yes ]]; then
        echo "took $python (Python $version, built with profile-guided optimization)"
    else
        echo "took $python (Python $version, built without profile-guided optimization)"
    fi
}

if [[ -n $given ]]; then
    describe "$given" >/dev/null || { echo "$given is not Python 3.11 or later" >&2; exit 1; }
    make_with "$given"
    exit
fi
if [[ -x $dir/bin/python ]] && describe "$dir/bin/python" >/dev/null; then
    "$dir/bin/python" -m venv "$dir"
    exit
fi

optimized=() others=()
while read -r python; do
    case $(describe "$python") in
        yes*) optimized+=("$python") ;;
        no*) others+=("$python") ;;
    esac
done < <(type -ap python3 python3.{11..19} | awk '!seen[$0]++')
for python in "${optimized[@]}" "${others[@]}"; do
    if make_with "$python"; then
        exit
    fi
    # What is left of the attempt has no pip.
    rm -rf "$dir"
done
echo "no Python 3.11 or later with venv on the PATH; install one, e.g. apt-get install python3 python3-venv" >&2
exit 1
