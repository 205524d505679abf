#!/usr/bin/env bash
# Runs `portolan check` with the action's inputs, once, and writes everything from that one run: the log, SARIF, the job
# summary, the outputs. Outputs are set whatever the outcome; the step's status is the program's.
#
# In:  PORTOLAN (the program), PORTOLAN_* (the inputs), and what every runner sets: GITHUB_OUTPUT, GITHUB_STEP_SUMMARY,
#      RUNNER_TEMP, in pull requests GITHUB_BASE_REF.
# Out: the step outputs `findings`, `errors`, `warnings`, `sarif-file`, `exit-code`.
#
# macOS runners have bash 3.2: no `mapfile`, and an empty array counts as unset.
set -euo pipefail

# Git Bash would turn arguments that look like paths (`/subscriptions/…`) into paths of Windows.
export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'

folder=$RUNNER_TEMP/portolan-action
mkdir -p "$folder"
counts=$folder/counts
page=$folder/summary.md
rm -f "$counts" "$page"

fail() {
  local text=${1//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  printf '::error title=portolan::%s\n' "${text//$'\n'/'%0A'}"
  finish 2
}

# finish STATUS: sets the outputs and ends.
finish() {
  {
    if [ -f "$counts" ]; then grep -E '^(findings|errors|warnings)=[0-9]+$' "$counts"; fi
    if [ -n "$sarif" ] && [ -f "$sarif" ]; then printf 'sarif-file=%s\n' "$sarif"; fi
    printf 'exit-code=%s\n' "$1"
  } >> "$GITHUB_OUTPUT"
  exit "$1"
}

# The lines of a text that are not blank, without blanks around them, in the array `lines`.
split() {
  local line
  lines=()
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [ -n "$line" ]; then lines+=("$line"); fi
  done <<< "$1"
}

# one NAME VALUE: an input that must be one line.
one() {
  case $2 in *$'\n'* | *$'\r'*) fail "input \`$1\` must be one line" ;; esac
}

sarif=
one sarif-file "$PORTOLAN_SARIF_FILE"
one plan "$PORTOLAN_PLAN"
one baseline "$PORTOLAN_BASELINE"
one only-changed "$PORTOLAN_ONLY_CHANGED"
sarif=$PORTOLAN_SARIF_FILE

arguments=(check "--format=$PORTOLAN_FORMAT" "--report=counts=$counts")
if [ -n "$PORTOLAN_FAIL_ON" ]; then arguments+=("--fail-on=$PORTOLAN_FAIL_ON"); fi
if [ -n "$sarif" ]; then
  # What an earlier run left must not pass for this one's.
  rm -f -- "$sarif"
  arguments+=("--report=sarif=$sarif")
fi
case $PORTOLAN_SUMMARY in
  true) arguments+=("--report=markdown=$page") ;;
  false | '') ;;
  *) fail "input \`summary\` must be \`true\` or \`false\`" ;;
esac
split "$PORTOLAN_SELECT"
for line in ${lines[@]+"${lines[@]}"}; do arguments+=("--select=$line"); done
split "$PORTOLAN_IGNORE"
for line in ${lines[@]+"${lines[@]}"}; do arguments+=("--ignore=$line"); done
if [ -n "$PORTOLAN_BASELINE" ]; then arguments+=("--baseline=$PORTOLAN_BASELINE"); fi
case $PORTOLAN_ONLY_CHANGED in
  false | '') ;;
  true)
    if [ -n "${GITHUB_BASE_REF:-}" ]; then
      arguments+=("--only-changed=origin/$GITHUB_BASE_REF")
    else
      arguments+=(--only-changed)
    fi
    ;;
  *) arguments+=("--only-changed=$PORTOLAN_ONLY_CHANGED") ;;
esac
split "$PORTOLAN_PATHS"
paths=(${lines[@]+"${lines[@]}"})
if [ -n "$PORTOLAN_PLAN" ]; then
  if [ "${#paths[@]}" -gt 1 ]; then fail "with \`plan\`, \`paths\` is the one folder that the plan was made from"; fi
  if [ "${#paths[@]}" -eq 1 ]; then arguments+=("--source=${paths[0]}"); fi
  paths=("$PORTOLAN_PLAN")
fi
split "$PORTOLAN_ARGS"
arguments+=(${lines[@]+"${lines[@]}"})
# `args` cannot turn paths into options.
arguments+=(--)
arguments+=(${paths[@]+"${paths[@]}"})

# Formats other than `github` show names from the files; they must not pass for workflow commands.
guard=
if [ "$PORTOLAN_FORMAT" != github ]; then
  guard=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$guard"
fi
status=0
"$PORTOLAN" "${arguments[@]}" || status=$?
if [ -n "$guard" ]; then printf '::%s::\n' "$guard"; fi

if [ -f "$page" ]; then cat "$page" >> "$GITHUB_STEP_SUMMARY"; fi
finish "$status"
