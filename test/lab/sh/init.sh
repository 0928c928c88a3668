#!/bin/bash
# A lab host's init: process 1 of its PID namespace. It reaps, starts the services in order, restarts what exits
# (Restart=always), kills what stops pinging (WatchdogSec) and obeys a fifo. Killing it is the power loss.
# Bash alone, without a fork in its loop: nine of these cost next to nothing.
#
# A service is a directory /etc/lab/sv/NAME (they start in the order of /etc/lab/sv/order) with
#   run        the program; it execs, so its process id is the service's
#   oneshot    (present) runs to its end before the next one starts, never restarted
#   down       (present) is not started at boot
#   restart    seconds until it is started again, default 0.5; doubled up to 4 s while it ends within half a second
#              of its start, so that a program that cannot run does not eat the machine
#   watchdog   seconds; the service touches $WATCHDOG_FILE at least every half of it ($WATCHDOG_USEC, as systemd's).
#              Counted from the first touch on, so a program that knows nothing of it is left alone.
#   stop       seconds between SIGTERM and SIGKILL, default 5
# Commands, one a line: start NAME | stop NAME | restart NAME | hold NAME (watchdog off) | unhold NAME
# Its state lies in /run/lab/NAME.state: `STATE PID RESTARTS LAST_EXIT`.
set -u
host=$1
sv=/etc/lab/sv
run=/run/lab
declare -A pid state restarts code due deadline restart_ms watchdog_ms stop_ms pinged held oneshot began delay_ms
declare -a order at_boot

# Milliseconds of /proc/uptime: steps of 10 ms, never set back.
now_ms() {
  local up rest
  read -r up rest </proc/uptime
  now=$((10#${up/./} * 10))
}

to_ms() { # seconds with up to three decimals -> REPLY
  local whole=${1%%.*} part=
  [[ $1 == *.* ]] && part=${1#*.}
  part=${part}000
  REPLY=$((10#${whole:-0} * 1000 + 10#${part:0:3}))
}

note() { printf '%s %s %s %s\n' "${state[$1]}" "${pid[$1]:-0}" "${restarts[$1]}" "${code[$1]:--}" >"$run/$1.state"; }

say() { printf '%(%H:%M:%S)T %s: %s\n' -1 "$host" "$*"; }

property() { # NAME FILE DEFAULT -> REPLY
  REPLY=$3
  if [[ -r $sv/$1/$2 ]]; then read -r REPLY <"$sv/$1/$2"; fi
}

launch() {
  local name=$1
  export WATCHDOG_FILE=/run/siteward/$name.watchdog WATCHDOG_USEC=$((${watchdog_ms[$name]} * 1000))
  setsid "$sv/$name/run" </dev/null >>"/var/log/lab/$name.log" 2>&1 3>&- &
  pid[$name]=$!
  state[$name]=running
  pinged[$name]=0
  : >"$run/$name.seen"
  now_ms
  began[$name]=$now
  note "$name"
  say "$name started, pid ${pid[$name]}"
}

alive() { [[ -n ${pid[$1]:-} ]] && kill -0 "${pid[$1]}" 2>/dev/null; }

ended() {
  local name=$1
  wait "${pid[$name]}" 2>/dev/null
  code[$name]=$?
  pid[$name]=
}

start() {
  case ${state[$1]} in running | stopping) return ;; esac
  delay_ms[$1]=${restart_ms[$1]}
  launch "$1"
}

stop() {
  local name=$1
  case ${state[$name]} in
    running)
      state[$name]=stopping
      now_ms
      deadline[$name]=$((now + ${stop_ms[$name]}))
      kill -TERM -- "-${pid[$name]}" 2>/dev/null
      kill -CONT -- "-${pid[$name]}" 2>/dev/null
      ;;
    waiting) state[$name]=down ;;
  esac
  note "$name"
}

check() {
  local name=$1
  case ${state[$name]} in
    running)
      if ! alive "$name"; then
        ended "$name"
        if [[ -n ${oneshot[$name]} ]]; then
          state[$name]=exited
        else
          state[$name]=waiting
          if ((now - began[$name] > 500)); then
            delay_ms[$name]=${restart_ms[$name]}
          else
            delay_ms[$name]=$((delay_ms[$name] * 2 > 4000 ? 4000 : delay_ms[$name] * 2))
          fi
          due[$name]=$((now + ${delay_ms[$name]}))
        fi
        say "$name ended with ${code[$name]}"
        note "$name"
      elif ((${watchdog_ms[$name]} > 0)); then
        if [[ /run/siteward/$name.watchdog -nt $run/$name.seen ]]; then
          : >"$run/$name.seen"
          pinged[$name]=$now
        elif [[ -z ${held[$name]:-} ]] && ((pinged[$name] > 0 && now - pinged[$name] > watchdog_ms[$name])); then
          say "$name missed its watchdog, killed"
          kill -KILL -- "-${pid[$name]}" 2>/dev/null
          pinged[$name]=$now
        fi
      fi
      ;;
    stopping)
      if ! alive "$name"; then
        ended "$name"
        state[$name]=down
        say "$name stopped"
        note "$name"
        if [[ -n ${due[again.$name]:-} ]]; then
          due[again.$name]=
          launch "$name"
        fi
      elif ((now > deadline[$name])); then
        kill -KILL -- "-${pid[$name]}" 2>/dev/null
      fi
      ;;
    waiting)
      if ((now >= due[$name])); then
        restarts[$name]=$((restarts[$name] + 1))
        launch "$name"
      fi
      ;;
  esac
}

obey() {
  local verb=$1 name=$2
  [[ -n ${state[$name]:-} ]] || { say "no service $name"; return; }
  say "told to $verb $name"
  case $verb in
    start) start "$name" ;;
    stop) due[again.$name]=; stop "$name" ;;
    restart)
      if [[ ${state[$name]} == running ]]; then due[again.$name]=yes; stop "$name"; else start "$name"; fi
      ;;
    hold) held[$name]=yes ;;
    unhold) held[$name]= pinged[$name]=0 ;;
  esac
}

mkfifo -m 600 "$run/control"
exec 3<>"$run/control"
mapfile -t order <"$sv/order"
for name in "${order[@]}"; do
  state[$name]=down restarts[$name]=0 due[again.$name]= oneshot[$name]=
  [[ -e $sv/$name/oneshot ]] && oneshot[$name]=yes
  property "$name" restart 0.5 && to_ms "$REPLY" && restart_ms[$name]=$REPLY delay_ms[$name]=$REPLY
  property "$name" watchdog 0 && to_ms "$REPLY" && watchdog_ms[$name]=$REPLY
  property "$name" stop 5 && to_ms "$REPLY" && stop_ms[$name]=$REPLY
  note "$name"
  [[ -e $sv/$name/down ]] || at_boot+=("$name")
done
say booted
# From here on a `down` that is put or taken away is for the next boot.
: >"$run/booted"
for name in "${at_boot[@]}"; do
  launch "$name"
  if [[ -n ${oneshot[$name]} ]]; then
    ended "$name"
    state[$name]=exited
    note "$name"
  fi
done

# A time-out may fall into the middle of a line: what was read of it is kept.
part=
while :; do
  if IFS= read -r -t 0.2 -u 3 line; then
    line=$part$line part=
    obey "${line%% *}" "${line#* }"
  else
    part+=$line
  fi
  now_ms
  for name in "${order[@]}"; do check "$name"; done
done
