# What process 1 does before it is an init; bash -c with the root, the control
# group, the console's file and what starts the init. Namespaces but the control groups' are made already.
root=$0 group=$1 console=$2 start=$3
echo 0 >"$group/cgroup.procs"
exec unshare --cgroup --mount --propagation private bash -euc '
  root=$0 console=$1 start=$2
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys" # or systemd-sysctl would set the values of this kernel
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 groups "$root/sys/fs/cgroup" 2>/dev/null || true
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs -o mode=755 dev "$root/dev"
  mkdir "$root/dev/pts" "$root/dev/shm"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  touch "$root/dev/console"
  mount --bind "$console" "$root/dev/console"
  mount -t tmpfs -o mode=755 run "$root/run"
  mkdir "$root/run/before" "$root/run/machinetest"
  hostname machine
  cd "$root"
  pivot_root . run/before
  umount -l /run/before
  mount -t tmpfs -o mode=1777 tmp /tmp
  exec env -i container=machinetest PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -euc "$start"
' "$root" "$console" "$start"
