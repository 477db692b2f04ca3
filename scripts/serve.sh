#!/bin/sh
# Runs Bun for a server: sh scripts/serve.sh src/main.ts
# A start runs much code a hundred times and then never again. Compiling it with optimisations takes a tenth of the
# start; what is called more often than that is optimised all the same. Bun refuses to start with a variable of this
# kind that it does not know, so a newer Bun that has dropped this one says so at once.
export BUN_JSC_thresholdForOptimizeAfterWarmUp=10000
# Where no node_modules is above a folder, Bun would fetch what is imported there, whatever it is: a typing error, too.
exec "$(dirname "$0")/../node_modules/.bin/bun" --no-install "$@"
