# shellcheck shell=sh
# Tells of units what somebody else has made of them, whether they are there yet or not (systemd.unit(5)).
#
#   units.sh UNIT...   a line "masked=UNIT" for each that is, and for each line of a drop-in "UNIT=PATH:LINE"
systemctl list-unit-files --plain --no-legend "$@" 2>/dev/null | sed -n 's/^\([^ ]*\)  *masked.*/masked=\1/p'
for unit; do
  for directory in /usr/lib /usr/local/lib /run /etc; do
    for path in "$directory/systemd/system/${unit##*.}.d"/*.conf "$directory/systemd/system/$unit.d"/*.conf; do
      test ! -f "$path" || sed "s|^|$unit=$path:|" "$path"
    done
  done
done
