
# Each part stands alone: where one fails, the others go on, and the log tells.
log=/var/log/bramble-firstrun.log
boot=$(dirname "$0")
failed=()
umask 022
: >"$log" && chmod 0640 "$log" && exec >>"$log" 2>&1

part() {
    printf '== %s\n' "$1"
    # Not as a condition: there, bash would go on behind a command that fails.
    (set -e; "$1")
    [ $? = 0 ] || failed+=("$1")
}

# put FILE MODE: what comes in becomes the file, which nobody else can read before it has its mode.
put() {
    (umask 077; cat >"$1.bramble")
    chmod "$2" "$1.bramble"
    mv "$1.bramble" "$1"
}

host_name() {
    printf '%s\n' "$hostname" | put /etc/hostname 0644
    if grep -q '^127\.0\.1\.1[[:space:]]' /etc/hosts; then
        sed -i "s/^127\.0\.1\.1[[:space:]].*/127.0.1.1\t$hostname/" /etc/hosts
    else
        printf '127.0.1.1\t%s\n' "$hostname" >>/etc/hosts
    fi
}

account() {
    local first group
    first=$(getent passwd 1000 | cut -d: -f1)
    group=$(getent group 1000 | cut -d: -f1)
    # It also ends the wizard that would ask for a user at the screen. The hash is not for its arguments, which
    # everybody could read.
    if [ -x /usr/lib/userconf-pi/userconf ]; then
        /usr/lib/userconf-pi/userconf "$user" "" || echo "userconf ended with $?"
    fi
    if ! getent passwd "$user" >/dev/null; then
        if [ -n "$first" ]; then
            usermod --login "$user" --home "/home/$user" --move-home "$first"
            [ -z "$group" ] || groupmod --new-name "$user" "$group"
            sed -i "s/^$first:/$user:/" /etc/subuid /etc/subgid
        else
            useradd --create-home --uid 1000 --user-group "$user"
        fi
    fi
    usermod --shell /bin/bash --append --groups sudo "$user"
    # "*" is no password, and still an account that keys may enter.
    printf '%s:%s\n' "$user" "${password:-*}" | chpasswd --encrypted
}

keys() {
    local home group
    [ ${#authorized_keys[@]} -gt 0 ] || return 0
    home=$(getent passwd "$user" | cut -d: -f6)
    group=$(id -gn "$user")
    install -d -m 0700 -o "$user" -g "$group" "$home/.ssh"
    printf '%s\n' "${authorized_keys[@]}" | put "$home/.ssh/authorized_keys" 0600
    chown "$user:$group" "$home/.ssh/authorized_keys"
}

sudo_rule() {
    # Raspberry Pi OS's own file for this, which its tools look for.
    local file=/etc/sudoers.d/010_pi-nopasswd
    if [ -n "$sudo_asks" ]; then
        rm -f "$file"
    else
        printf '%s ALL=(ALL) NOPASSWD: ALL\n' "$user" | put "$file" 0440
    fi
}

host_keys() {
    local kind
    [ ${#host_key_kinds[@]} -gt 0 ] || return 0
    # Raspberry Pi OS 11 makes new ones at its first real start.
    systemctl disable regenerate_ssh_host_keys || echo "nothing would make others"
    rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
    for kind in "${!host_key_kinds[@]}"; do
        printf '%s' "${host_key_private[kind]}" | put "/etc/ssh/ssh_host_${host_key_kinds[kind]}_key" 0600
        printf '%s\n' "${host_key_public[kind]}" | put "/etc/ssh/ssh_host_${host_key_kinds[kind]}_key.pub" 0644
    done
}

ssh_daemon() {
    if [ -z "$password" ]; then
        echo "PasswordAuthentication no" | put /etc/ssh/sshd_config.d/10-bramble.conf 0644
    fi
    systemctl enable ssh
}

network() {
    local dhcpcd=/etc/dhcpcd.conf interface
    if [ -f "$dhcpcd" ] && ! systemctl is-enabled NetworkManager >/dev/null 2>&1; then
        if [ -n "$dhcpcd_lines" ]; then
            sed -i '/^# bramble: begin$/,/^# bramble: end$/d' "$dhcpcd"
            printf '# bramble: begin\n%s# bramble: end\n' "$dhcpcd_lines" >>"$dhcpcd"
        fi
        if [ -n "$wpa_supplicant" ]; then
            printf '%s' "$wpa_supplicant" | put /etc/wpa_supplicant/wpa_supplicant.conf 0600
        fi
    else
        for interface in "${!profiles[@]}"; do
            printf '%s' "${profiles[$interface]}" |
                put "/etc/NetworkManager/system-connections/$interface.nmconnection" 0600
        done
    fi
}

wifi_on() {
    local file
    [ -n "$wpa_supplicant" ] || return 0
    # Raspberry Pi OS keeps it off until somebody tells the country. That stands in cmdline.txt by now.
    for file in /var/lib/systemd/rfkill/*:wlan; do
        [ ! -e "$file" ] || echo 0 >"$file"
    done
    file=/var/lib/NetworkManager/NetworkManager.state
    [ ! -e "$file" ] || sed -i 's/^WirelessEnabled=false$/WirelessEnabled=true/' "$file"
}

language() {
    local line
    [ -n "$locale" ] || return 0
    # What locale-gen knows it by; its list of what there is calls some without their character set: hi_IN.
    line="$locale UTF-8"
    # C.UTF-8 is there without it.
    if [ "$locale" != C.UTF-8 ] && ! locale -a | grep -qixF "${locale/UTF-8/utf8}"; then
        grep -qxF "$line" /etc/locale.gen || printf '%s\n' "$line" >>/etc/locale.gen
        locale-gen
    fi
    update-locale "LANG=$locale"
}

keyboard_layout() {
    local helper=/usr/lib/raspberrypi-sys-mods/imager_custom file=/etc/default/keyboard
    [ -n "$keyboard" ] || return 0
    # It knows of the desktops, too, which have settings of their own.
    if [ -x "$helper" ] && "$helper" set_keymap "$keyboard"; then return 0; fi
    [ -e "$file" ] || printf 'XKBMODEL="pc105"\nXKBLAYOUT=""\nXKBVARIANT=""\nXKBOPTIONS=""\n' | put "$file" 0644
    sed -i "s/^XKBLAYOUT=.*/XKBLAYOUT=\"$keyboard\"/" "$file"
    rm -f /etc/console-setup/cached_*
    if command -v setupcon >/dev/null; then setupcon --save-only --force; fi
}

time_zone() {
    [ -n "$timezone" ] || return 0
    [ -f "/usr/share/zoneinfo/$timezone" ]
    ln -sfn "/usr/share/zoneinfo/$timezone" /etc/localtime
    printf '%s\n' "$timezone" | put /etc/timezone 0644
}

date
for each in host_name account keys sudo_rule host_keys ssh_daemon network wifi_on language keyboard_layout time_zone; do
    part "$each"
done
if [ ${#failed[@]} = 0 ]; then echo "all done"; else printf 'FAILED: %s\n' "${failed[*]}"; fi

# Clean-up comes last. First of all, a script that does nothing else takes this one's place, with its keys and passwords:
# where the power goes before it is through, the next start runs that.
cat >"$boot/firstrun.new" <<'END'
#!/bin/bash
boot=$(dirname "$0")
sed -i -e 's# systemd\.run=[^ ]*/firstrun\.sh##' -e 's# systemd\.run_success_action=reboot##' \
    -e 's# systemd\.unit=kernel-command-line\.target##' "$boot/cmdline.txt"
sync
rm -f "$boot/firstrun.sh"
sync
exit 0
END
chmod 0755 "$boot/firstrun.new"
sync
mv "$boot/firstrun.new" "$boot/firstrun.sh"
sync
exec /bin/bash "$boot/firstrun.sh"
