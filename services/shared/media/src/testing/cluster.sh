#!/usr/bin/env bash
# cluster.sh FOLDER PORT KEY SECRET
#
# A Ceph cluster of one monitor and one store in memory, in FOLDER, with a user of its S3 gateway. Prints `ready`, and
# ends when its standard input does: the cluster and the folder go with it. Good for tests only.
set -euo pipefail
folder=$1 port=$2 key=$3 secret=$4
fsid=$(</proc/sys/kernel/random/uuid) store=$(</proc/sys/kernel/random/uuid)

clean_up() {
  # shellcheck disable=SC2046 # one argument for each process
  kill -9 $(jobs -p) 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT

mkdir -p "$folder"/{monitor,store}
cat >"$folder/ceph.conf" <<CONFIGURATION
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$port/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
keyring = $folder/keyring
run dir = $folder
admin socket = $folder/\$name.\$pid.asok
pid file =
log file = $folder/\$name.log
# One store keeps the only copy.
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
# The disk is not what the bytes are on.
mon data avail warn = 0
mon data avail crit = 0
[mon]
mon cluster log to file = false
[mon.a]
mon data = $folder/monitor
[osd]
osd data = $folder/store
osd objectstore = memstore
memstore device bytes = 1073741824
[client]
rgw run sync thread = false
rgw enable usage log = false
# A gateway that was killed would be waited for when its caches are to be told of something.
rgw cache enabled = false
CONFIGURATION
export CEPH_CONF=$folder/ceph.conf

{
  ceph-authtool -C "$folder/keyring" -n mon. --gen-key --cap mon 'allow *'
  ceph-authtool "$folder/keyring" -n client.admin --gen-key --cap mon 'allow *' --cap osd 'allow *'
  ceph-authtool "$folder/keyring" -n osd.0 --gen-key --cap mon 'allow profile osd' --cap osd 'allow *'
  monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$port/0]" "$folder/monmap"
  ceph-mon --mkfs -i a --keyring "$folder/keyring" --monmap "$folder/monmap"
  ceph-mon -f -i a &
  timeout 60 ceph osd new "$store"
  timeout 60 ceph auth import -i "$folder/keyring"
  ceph-osd -i 0 --mkfs --osd-uuid "$store"
  ceph-osd -f -i 0 &
  timeout 120 radosgw-admin user create --uid=test --display-name=test --access-key="$key" --secret-key="$secret"
} </dev/null >"$folder/out" 2>&1 || {
  tail -n 20 "$folder/out" >&2
  exit 1
}

echo ready
cat >/dev/null
