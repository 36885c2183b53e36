# The text tools on some input.
seq 1 20 > n
head -3 n; tail -2 n; sed -n '5,7p' n
grep -c 1 n; grep -n '^1.$' n | head -3
awk '{ s += $1 } END { print s, NR }' n
sort -rn n | head -2; sort -n n | uniq | wc -l
cut -c1 n | uniq -c | head -2
tr 1-3 a-c < n | head -3
printf 'b 2\na 1\nc 3\n' | sort -k2 -n
printf 'x\ny\n' | paste - -
comm -12 n n | wc -l 2>/dev/null
diff n n && echo same
seq 1 21 | diff n - ; echo $?
cmp n n; echo $?
od -c n | head -2
expr 3 + 4; echo '2*3+1' | bc 2>/dev/null
echo hello | md5sum; echo hello | sha256sum
seq 100 | xargs -n 10 echo | head -2
split -l 5 n part; ls part*; cat part* | cmp - n && echo whole
rev n 2>/dev/null | head -1
nl n | head -2
tac n | head -2
printf 'a\tb\n' | expand | od -c | head -1
awk 'BEGIN { while (("seq 3" | getline l) > 0) print "got", l; printf "%.3f\n", 22/7 }'
echo abcdefghij | fold -w 5
