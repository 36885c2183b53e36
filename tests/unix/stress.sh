# timeout=300 mem=128M
# Many processes at once, processes killed in the middle of calls, full disks.
i=0; while [ $i -lt 40 ]; do (sleep 20 | cat | cat >/dev/null) & i=$((i + 1)); done
jobs -p | wc -l; kill $(jobs -p) 2>/dev/null; wait; echo killed
i=0; while [ $i -lt 30 ]; do
	(while :; do echo x; done) | (read a; exit 0) & p=$!
	cat /dev/zero > /dev/null & q=$!
	kill -9 $q; wait $p $q 2>/dev/null; i=$((i + 1))
done; echo "$i rounds"
mkfifo f; i=0; while [ $i -lt 20 ]; do cat f > /dev/null & kill -9 $!; wait $! 2>/dev/null; i=$((i + 1)); done; echo "$i readers"
i=0; while [ $i -lt 60 ]; do (exec true) & i=$((i + 1)); done; wait; echo "$i programs"
mkdir many; i=0; while [ $i -lt 500 ]; do : > many/$i; i=$((i + 1)); done; ls many | wc -l; rm -r many; ls
seq 1 20000 | sort -rn | tail -1
cat /dev/zero | head -c 3000000 | wc -c
dd if=/dev/zero bs=64k count=100 2>/dev/null | md5sum
