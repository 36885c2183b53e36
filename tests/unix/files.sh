# Files and directories, as the applets see them.
umask 022
mkdir -p d/e/f && cd d
echo hello > a; ln a b; ln -s a c; cp a e/copy; mv e/copy e/f/moved
ls
ls -R . | sort | head -20
cat c; readlink c
stat -c '%n %s %h %a %F' a b c; stat -c '%n %h %a %F' e
test -L c && echo link; test -f c && echo file; test -d e && echo dir
test a -ef b && echo same
chmod 600 a; stat -c %a b
rm b; stat -c %h a
rmdir e 2>&1 | sed 's/.*: //'
rm -r e; ls
touch -d '2001-02-03 04:05:06' a; date -u -r a '+%Y-%m-%d %H:%M:%S'
dd if=/dev/zero of=big bs=1k count=100 2>/dev/null; stat -c '%s %b' big
truncate -s 50 big; wc -c < big
echo tail >> big; wc -c < big
mkdir x; cp -r . ../copy; ls ../copy
find .. -name 'a' | sort
cd ..; pwd | sed 's/.*\///' > /dev/null
mv d renamed; ls; ls renamed
mkfifo pipe; (echo through > pipe &); cat pipe; stat -c %F pipe
echo x > 'name with space'; ls
ln -s loop loop; cat loop 2>&1 | sed 's/.*: //'
ls nothing 2>&1 | sed 's/.*: //'
cat renamed 2>&1 | sed 's/.*: //'
: > empty; test -s empty || echo empty
rm -rf renamed copy; ls
du -k big 2>/dev/null; basename /a/b/c .c; dirname /a/b/c
tar cf t.tar 'name with space' empty; tar tf t.tar
mkdir out; tar xf t.tar -C out; ls out
gzip t.tar; ls; gunzip t.tar.gz; tar tf t.tar | wc -l
