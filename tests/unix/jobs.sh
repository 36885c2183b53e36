# shells=sh,bash,mksh
# Background jobs, wait, signals, traps.
sleep 0.1 & wait $!; echo "waited $?"
(exit 5) & wait $!; echo "exit $?"
sh -c 'kill -TERM $$'; echo "term $?"
{ sh -c "kill -KILL \$\$"; } 2>/dev/null; echo "kill $?"
trap 'echo usr1' USR1; kill -USR1 $$; echo after
# The child is given time to become sleep: a shell's own child, killed before its execve, may take the signal for itself (mksh on Linux mostly does).
sleep 10 & p=$!; sleep 0.5; kill $p; wait $p; echo "killed $?"
(sleep 0.2; echo late) & echo early; wait; echo done
yes | head -1; echo "${PIPESTATUS:-none}"
sh -c 'trap "" PIPE; yes 2>/dev/null; echo "yes $?" >&2' 2>&1 | head -1
for i in 3 1 2; do (echo $i) & done | sort
timeout 0.2 sleep 5; echo "timeout $?"
mkfifo q; cat q & echo data > q; wait; rm q
setsid sh -c 'sleep 5 & sleep 5 & kill -TERM 0'; echo "group $?"
