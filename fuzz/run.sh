#!/bin/sh
# Fuzzes a target: fuzz/run.sh mail [seconds]
#
# Needs the stable Rust compiler and a C++ compiler: the coverage instrumentation for libFuzzer is a pass of LLVM. `cargo fuzz run
# mail --sanitizer none` does the same. Inputs that fail are written to fuzz/artifacts/<target>.
set -eu

cd "$(dirname "$0")"
target=${1:?expected a target: $(cd fuzz_targets && echo *.rs | sed 's/\.rs//g')}
seconds=${2:-60}

# The seeds are the data of the tests.
case $target in
    mail) seeds=../events/inbound/mail ;;
    notification) seeds=../shared/notification-model/tests/data ;;
    config) seeds="../tools/postroomctl/tests/config ../docs/examples" ;;
    intake) seeds="../shared/intake/tests/data ../events/feedback ../events/delegate-router" ;;
    *) seeds= ;;
esac

host=$(rustc -vV | sed -n 's/^host: //p')
pass="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1"
# With --target, build scripts and macros are compiled without the flags.
RUSTFLAGS="$pass" cargo build --release --target "$host" --bin "$target"

mkdir -p "corpus/$target" "artifacts/$target"
# shellcheck disable=SC2086
exec "${CARGO_TARGET_DIR:-target}/$host/release/$target" "corpus/$target" $seeds \
    -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1
