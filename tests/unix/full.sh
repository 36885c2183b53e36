# timeout=200 mem=96M cpus=2
# Files and programs want more memory than there is; afterwards all is as before.
ulimit -n 200
fill() { i=0; while dd if=/dev/zero of=full$i bs=64k count=64 2>/dev/null; do i=$((i + 1)); [ $i -lt 12 ] || break; done; rm -f full*; }
case $(uname -r) in *lodger) fill; fill;; esac
echo filled; ls
awk 'BEGIN { for (i = 0; i < 1000; i++) s = s "0123456789"; print length(s) }'
seq 1 3000 > n; wc -l n
exec 3< n 4< n 5< n; read a <&3; read a <&3; echo $a; read b <&4; echo $b
i=0; while (: < n) 2>/dev/null && [ $i -lt 300 ]; do i=$((i + 1)); done; echo $i
