#!/usr/bin/env bash
# Runs one Apache Kafka node (KRaft: broker and controller in one process) from the jars in Maven's registry.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
POM=$HERE/kafka/pom.xml
VERSION=$(sed -n 's:.*<kafka\.version>\(.*\)</kafka\.version>.*:\1:p' "$POM")
JARS=${STREAMSEG_KAFKA_JARS:-${XDG_CACHE_HOME:-$HOME/.cache}/streamseg/kafka-$VERSION}
START_SECONDS=${STREAMSEG_KAFKA_START_SECONDS:-90}
STOP_SECONDS=${STREAMSEG_KAFKA_STOP_SECONDS:-60}
LISTENERS=() # of `start`: NAME:PROTOCOL:PORT
PROPERTIES=''

usage() {
    cat <<TEXT
Usage: deploy/kafka.sh COMMAND

A single Kafka $VERSION node for development, tests and CI; it listens on the loopback address only.

  fetch [DIR]                           download the jars into DIR (default: the cache folder below)
  start DIR [--port N] [--listen ADDR] [--listener NAME:PROTOCOL:PORT]... [--properties FILE]
                                        start a broker that keeps data, logs and pid in DIR, and print
                                        its address; fetches first where the jars are missing.
                                        N: default the port DIR had last, else 9092; 0 takes a free one.
                                        ADDR: default 127.0.0.1; clients are told the same address.
                                        --listener: one more, such as SECURE:SASL_SSL:9094.
                                        --properties: settings of the broker that count beside and before
                                        those of this script, such as deploy/kafka/secure.properties.
                                        Give both again at the next start
  stop DIR                              stop it cleanly; the data stays
  status DIR                            print its address; exit status 3 where none runs
  console TOOL ARGS...                  run one of Kafka's own console tools (list below)
  --help                                this text

Tools: $(tool_names)

Environment:
  STREAMSEG_KAFKA_JARS           folder of the jars (now $JARS)
  STREAMSEG_KAFKA_HEAP           heap of the broker (default 512m)
  STREAMSEG_KAFKA_START_SECONDS  longest wait for a start (default 90)
  STREAMSEG_KAFKA_STOP_SECONDS   longest wait for a stop (default 60)
  JAVA_HOME                      Java 17 or newer; default: the java on PATH

Examples:
  deploy/kafka.sh start .kafka
  bootstrap=\$(deploy/kafka.sh start /tmp/kafka --port 0)
  deploy/kafka.sh start .kafka --listener SECURE:SASL_SSL:9094 --properties deploy/kafka/secure.properties
  deploy/kafka.sh console kafka-topics --bootstrap-server localhost:9092 --list
  echo 'c1|{"contact_id": "c1"}' | deploy/kafka.sh console kafka-console-producer \\
      --bootstrap-server localhost:9092 --topic contact-updates \\
      --reader-property parse.key=true --reader-property key.separator='|'
TEXT
}

say() { echo "kafka.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
misuse() { say "$*"; say "see deploy/kafka.sh --help"; exit 2; }

TOOLS="
kafka-topics               org.apache.kafka.tools.TopicCommand
kafka-console-producer     org.apache.kafka.tools.ConsoleProducer
kafka-console-consumer     org.apache.kafka.tools.consumer.ConsoleConsumer
kafka-get-offsets          org.apache.kafka.tools.GetOffsetShell
kafka-consumer-groups      org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
kafka-configs              kafka.admin.ConfigCommand
kafka-acls                 org.apache.kafka.tools.AclCommand
kafka-delete-records       org.apache.kafka.tools.DeleteRecordsCommand
kafka-log-dirs             org.apache.kafka.tools.LogDirsCommand
kafka-dump-log             org.apache.kafka.tools.DumpLogSegments
kafka-broker-api-versions  org.apache.kafka.tools.BrokerApiVersionsCommand
kafka-metadata-quorum      org.apache.kafka.tools.MetadataQuorumCommand
kafka-producer-perf-test   org.apache.kafka.tools.ProducerPerformance
kafka-consumer-perf-test   org.apache.kafka.tools.ConsumerPerformance
"

tool_names() { awk 'NF { line = line separator $1; separator = " " } END { print line }' <<<"$TOOLS"; }
tool_class() { awk -v tool="${1%.sh}" '$1 == tool { print $2 }' <<<"$TOOLS"; }

find_java() {
    JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
    command -v "$JAVA" >/dev/null || fail "no Java at '$JAVA'; install Java 17 or newer, or set JAVA_HOME"
    local major
    major=$("$JAVA" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${major:-0}" -ge 17 ] || fail "Kafka $VERSION needs Java 17 or newer, '$JAVA' is ${major:-unknown}"
}

fetch() {
    local folder=$1 loading
    find_java
    if [ -f "$folder/complete" ]; then
        say "Kafka $VERSION is in $folder"
        return
    fi
    command -v mvn >/dev/null || fail "no mvn (Apache Maven) on PATH, which fetches the jars of Kafka $VERSION"
    mkdir -p "$folder" || fail "cannot make the folder $folder"
    loading=$(mktemp -d "$folder/loading.XXXXXX")
    say "fetching Kafka $VERSION into $folder"
    if ! mvn -B -q -ntp -f "$POM" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$loading" >"$loading/maven.log" 2>&1; then
        cat "$loading/maven.log" >&2
        rm -rf "$loading"
        fail "Maven could not fetch Kafka $VERSION (see above)"
    fi
    rm "$loading/maven.log"
    # The files are moved to their final names one by one, and the mark is made last. So two fetches at the same
    # time do not disturb each other.
    mv -f "$loading"/*.jar "$folder/"
    rmdir "$loading"
    : >"$folder/complete"
}

pid_of() {
    local folder=$1 pid
    [ -f "$folder/kafka.pid" ] || return 1
    pid=$(<"$folder/kafka.pid")
    # Another process may have this pid by now: only a process that runs on this folder is the broker.
    [ -n "$pid" ] && ps -ww -o args= -p "$pid" 2>/dev/null | grep -qF -- "$folder/server.properties" || return 1
    echo "$pid"
}

open_port() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

free_port() {
    local port
    for _ in $(seq 50); do
        port=$((20000 + RANDOM % 12000)) # below the range of ports that outgoing connections use
        if [ "$port" != "${2:-}" ] && ! open_port "$1" "$port"; then
            echo "$port"
            return
        fi
    done
    fail "found no free port between 20000 and 32000"
}

# Sends an ApiVersions request (key 18, version 0, correlation 7, no client id) and expects correlation 7 back.
answers() {
    local reply
    reply=$( (
        exec 3<>"/dev/tcp/$1/$2"
        printf '\0\0\0\x0a\0\x12\0\0\0\0\0\x07\xff\xff' >&3
        timeout 5 head -c 8 <&3 | od -An -tx1 | tr -d ' \n'
    ) 2>/dev/null) || return 1
    [ "${reply:8}" = 00000007 ]
}

write_properties() {
    local folder=$1 listen=$2 port=$3 controller=$4 one name protocol more='' map=''
    for one in "${LISTENERS[@]}"; do
        IFS=: read -r name protocol one <<<"$one"
        more+=,$name://$listen:$one map+=,$name:$protocol
    done
    cat >"$folder/server.properties" <<TEXT
# Written by deploy/kafka.sh at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$listen:$controller
listeners=PLAINTEXT://$listen:$port$more,CONTROLLER://$listen:$controller
advertised.listeners=PLAINTEXT://$listen:$port$more
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$map
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$folder/data

auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
message.max.bytes=4194304

# These values are small enough for a machine of two cores.
num.network.threads=2
num.io.threads=4
background.threads=4
num.recovery.threads.per.data.dir=2
log.cleaner.dedupe.buffer.size=33554432

# The log cleaner looks for work every half second, so that a test can provoke compaction
# (with small values of segment.ms and min.cleanable.dirty.ratio for its topic).
log.cleaner.backoff.ms=500

# Records may have any timestamps: none is refused because it is in the future, and none is deleted
# because it is old (retention is checked for the first time after 30 days).
log.message.timestamp.after.max.ms=9223372036854775807
log.initial.task.delay.ms=2592000000
TEXT
    # Of two lines with one name, Kafka takes the last.
    [ -z "$PROPERTIES" ] || { echo && cat "$PROPERTIES"; } >>"$folder/server.properties"
}

# Replaces this process by a Java program of Kafka. It runs for a second or two, so only the fast compiler is used.
become() {
    exec "$JAVA" -Xmx256m -XX:TieredStopAtLevel=1 -Djava.awt.headless=true \
        -Dlog4j2.configurationFile="$HERE/kafka/tools-log4j2.xml" -cp "$JARS/*" "$@"
}

start() {
    local folder=$1 port=$2 listen=$3 pid controller cluster
    mkdir -p "$folder/logs" || fail "cannot make the folder $folder"
    folder=$(cd "$folder" && pwd -P)
    if pid=$(pid_of "$folder"); then
        if [ -n "$port" ] && [ "$port" != 0 ] && [ "$(cut -d: -f2 "$folder/bootstrap")" != "$port" ]; then
            fail "a broker runs on $folder already, at $(<"$folder/bootstrap"); stop it first"
        fi
        say "runs already (pid $pid)"
        cat "$folder/bootstrap"
        return
    fi
    find_java
    [ -f "$JARS/complete" ] || fetch "$JARS"
    if [ -z "$port" ]; then
        port=9092
        [ ! -s "$folder/bootstrap" ] || port=$(cut -d: -f2 "$folder/bootstrap")
    fi
    if [ "$port" = 0 ]; then
        port=$(free_port "$listen")
    elif open_port "$listen" "$port"; then
        fail "port $port of $listen is taken; stop what listens there, or choose another with --port (0: a free one)"
    fi
    controller=$(free_port "$listen" "$port")
    write_properties "$folder" "$listen" "$port" "$controller"

    if [ ! -f "$folder/data/meta.properties" ]; then
        # The id is 16 random bytes in URL-safe base 64. A leading dash would be read as an option.
        cluster=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)
        (become kafka.tools.StorageTool format --cluster-id "$cluster" --config "$folder/server.properties") \
            >"$folder/logs/format.log" 2>&1 ||
            fail "could not format $folder/data: $(tail -n 5 "$folder/logs/format.log")"
    fi

    [ ! -f "$folder/logs/server.log" ] || mv -f "$folder/logs/server.log" "$folder/logs/server.previous.log"
    # The broker gets its own session, so that an interrupt at the terminal does not reach it.
    setsid nohup "$JAVA" -Xms256m -Xmx"${STREAMSEG_KAFKA_HEAP:-512m}" -XX:+ExitOnOutOfMemoryError \
        -Djava.awt.headless=true -Dkafka.logs.dir="$folder/logs" \
        -Dlog4j2.configurationFile="$HERE/kafka/broker-log4j2.xml" \
        -cp "$JARS/*" kafka.Kafka "$folder/server.properties" \
        </dev/null >"$folder/logs/console.log" 2>&1 &
    pid=$!
    echo "$pid" >"$folder/kafka.pid"

    local deadline=$((SECONDS + START_SECONDS))
    # The port answers a little before the broker can lead partitions; the log tells when it can.
    until grep -qsF 'Kafka Server started' "$folder/logs/server.log" && answers "$listen" "$port"; do
        if ! kill -0 "$pid" 2>/dev/null; then
            rm -f "$folder/kafka.pid"
            broker_log "$folder"
            fail "the broker ended while starting (its log is above and in $folder/logs)"
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            kill -KILL "$pid" 2>/dev/null || true
            rm -f "$folder/kafka.pid"
            broker_log "$folder"
            fail "no answer from the broker within $START_SECONDS s (its log is above and in $folder/logs)"
        fi
        sleep 0.2
    done
    echo "$listen:$port" >"$folder/bootstrap"
    cat "$folder/bootstrap"
}

broker_log() { tail -qn 20 "$1/logs/console.log" "$1/logs/server.log" >&2 2>/dev/null || true; }

stop() {
    local folder=$1 pid
    folder=$(cd "$folder" 2>/dev/null && pwd -P) || fail "there is no folder $1"
    if ! pid=$(pid_of "$folder"); then
        rm -f "$folder/kafka.pid"
        say "no broker runs on $folder"
        return
    fi
    kill -TERM "$pid"
    local deadline=$((SECONDS + STOP_SECONDS))
    while kill -0 "$pid" 2>/dev/null; do
        [ "$SECONDS" -lt "$deadline" ] || fail "pid $pid still runs after $STOP_SECONDS s; see $folder/logs/server.log"
        sleep 0.1
    done
    rm -f "$folder/kafka.pid"
}

status() {
    local folder address
    folder=$(cd "$1" 2>/dev/null && pwd -P) || fail "there is no folder $1"
    if ! pid_of "$folder" >/dev/null; then
        say "no broker runs on $folder"
        exit 3
    fi
    address=$(<"$folder/bootstrap")
    answers "${address%:*}" "${address#*:}" || fail "the broker on $folder does not answer at $address"
    echo "$address"
}

console() {
    local class
    class=$(tool_class "$1")
    [ -n "$class" ] || misuse "unknown tool '$1'; there are: $(tool_names)"
    shift
    find_java
    [ -f "$JARS/complete" ] || fetch "$JARS"
    become "$class" "$@"
}

main() {
    local command=${1:-} folder port='' listen=127.0.0.1 one
    [ $# -eq 0 ] || shift
    case $command in
    -h | --help | help)
        usage
        ;;
    fetch)
        [ $# -le 1 ] || misuse "fetch takes one folder at most"
        fetch "${1:-$JARS}"
        ;;
    start)
        [ $# -ge 1 ] || misuse "start needs a folder"
        folder=$1
        shift
        while [ $# -gt 0 ]; do
            case $1 in
            --port) port=${2:-none} ;;
            --listen) listen=${2:-none} ;;
            --listener) LISTENERS+=("${2:-none}") ;;
            --properties) PROPERTIES=${2:-none} ;;
            *) misuse "unknown option '$1' of start" ;;
            esac
            shift
            [ $# -eq 0 ] || shift
        done
        [[ $port =~ ^[0-9]*$ && ${#port} -le 5 && ${port:-0} -le 65535 ]] || misuse "'$port' is not a port (0 to 65535)"
        [[ $listen =~ ^[A-Za-z0-9.-]+$ && $listen != 0.0.0.0 && $listen != none ]] ||
            misuse "--listen takes an address or name of this machine that its clients can reach"
        for one in "${LISTENERS[@]}"; do
            [[ $one =~ ^[A-Z]+:(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL):[0-9]{1,5}$ ]] ||
                misuse "--listener takes NAME:PROTOCOL:PORT, such as SECURE:SASL_SSL:9094"
        done
        [ -z "$PROPERTIES" ] || [ -r "$PROPERTIES" ] || misuse "--properties: cannot read '$PROPERTIES'"
        start "$folder" "$port" "$listen"
        ;;
    stop | status)
        [ $# -eq 1 ] || misuse "$command needs a folder"
        "$command" "$1"
        ;;
    console)
        [ $# -ge 1 ] || misuse "console needs a tool: $(tool_names)"
        console "$@"
        ;;
    '')
        misuse "which command?"
        ;;
    *)
        misuse "unknown command '$command'"
        ;;
    esac
}

main "$@"
