# One that has ended, and that nobody waits for, is still shown.
sh -c 'sleep 0.3 & echo $! > pid; exec sleep 1000' & p=$!
until [ -s pid ]; do :; done
z=$(cat pid)
until grep -q '^State:.Z' /proc/$z/status; do :; done
grep '^State' /proc/$z/status
sed 's/.*) //; s/ .*//' /proc/$z/stat
ls /proc 2>/dev/null | grep -c -x $z
cat /proc/$z/cmdline | wc -c
ls /proc/$z/fd 2>/dev/null | wc -l
ps -o pid,stat 2>/dev/null | grep -c "^ *$z Z"
{ kill $p; wait $p; } 2>/dev/null; echo over
