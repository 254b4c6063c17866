// The server over real loopback sockets: UDP, TCP in both framings, liblo's own tools, the client.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/osc_client.h"
#include "net/osc_frame.h"
#include "net/osc_reply.h"
#include "net/osc_socket.h"
#include "tests/net/fake_host.h"

/// A box on a thread of its own. The mutex guards the fake between that thread and the test.
struct box {
    struct fake_host fake;
    struct osc_host host; ///< of the fake
    struct osc_server *server;
    pthread_t thread;
    pthread_mutex_t mutex;
    atomic_bool is_ending;
};

static struct box box;

#define GUARDED(call)                                                                              \
    pthread_mutex_lock(&box.mutex);                                                                \
    const int result = box.host.call;                                                              \
    pthread_mutex_unlock(&box.mutex);                                                              \
    return result

static int get(void *context, unsigned index, struct param_value *value)
{
    GUARDED(get(context, index, value));
}

static int set(void *context, unsigned index, const struct param_value *value, uint64_t frame)
{
    GUARDED(set(context, index, value, frame));
}

static int play(void *context, const struct event *event) { GUARDED(play(context, event)); }

static uint64_t changed(void *context, unsigned index)
{
    pthread_mutex_lock(&box.mutex);
    const uint64_t serial = box.host.changed(context, index);
    pthread_mutex_unlock(&box.mutex);
    return serial;
}

static void *run(void *context)
{
    (void)context;
    while (!box.is_ending)
        if (osc_server_run(box.server, -1) != 0)
            abort();
    return NULL;
}

static int begin(void **state)
{
    const struct osc_settings settings = {.access = OSC_ACCESS_LOOPBACK, .version = "1"};
    (void)state;
    memset(&box, 0, sizeof box);
    pthread_mutex_init(&box.mutex, NULL);
    box.host = fake_init(&box.fake);
    struct osc_host guarded = box.host;
    guarded.get = get;
    guarded.set = set;
    guarded.play = play;
    guarded.changed = changed;
    box.server = osc_server_create(&settings, &guarded);
    if (!box.server)
        return -1;
    return pthread_create(&box.thread, NULL, run, NULL);
}

static int end(void **state)
{
    (void)state;
    box.is_ending = true;
    osc_server_wake(box.server);
    pthread_join(box.thread, NULL);
    osc_server_destroy(box.server);
    pthread_mutex_destroy(&box.mutex);
    return 0;
}

static double value_of(unsigned index)
{
    pthread_mutex_lock(&box.mutex);
    const double number = box.fake.values[index].number;
    pthread_mutex_unlock(&box.mutex);
    return number;
}

static void put(unsigned index, double number)
{
    pthread_mutex_lock(&box.mutex);
    fake_put(&box.fake, index, number);
    pthread_mutex_unlock(&box.mutex);
    osc_server_wake(box.server);
}

static unsigned count_played(unsigned type)
{
    unsigned count = 0;
    pthread_mutex_lock(&box.mutex);
    for (unsigned i = 0; i < box.fake.played_count; i++)
        count += box.fake.played[i].type == type;
    pthread_mutex_unlock(&box.mutex);
    return count;
}

/// Waits up to two seconds.
#define WAIT_FOR(claim)                                                                            \
    do {                                                                                           \
        for (int tries_ = 0; tries_ < 200 && !(claim); tries_++)                                   \
            usleep(10000);                                                                         \
        assert_true(claim);                                                                        \
    } while (0)

// The client

static char heard[64][128];
static atomic_uint heard_count;

static void hear(void *context, const struct osc_message *message)
{
    (void)context;
    char *line = heard[heard_count % 64];
    const struct osc_argument *last = &message->arguments[message->count ? message->count - 1 : 0];
    if (last->text)
        snprintf(line, sizeof heard[0], "%s %.90s", message->address, last->text);
    else
        snprintf(line, sizeof heard[0], "%s %g", message->address, last->number);
    heard_count++;
}

static struct osc_client *connect_client(void)
{
    struct osc_client *client = osc_client_create("127.0.0.1", osc_server_port(box.server));
    assert_non_null(client);
    heard_count = 0;
    return client;
}

static void test_client_gets_and_sets(void **state)
{
    (void)state;
    struct osc_client *client = connect_client();
    assert_int_equal(osc_client_get(client, "/ch/1/volume", hear, NULL), 0);
    assert_string_equal(heard[0], "/ch/1/volume 100");
    assert_int_equal(osc_client_get(client, "/ch/{1,2}/pan", hear, NULL), 0);
    assert_int_equal(heard_count, 3);
    assert_int_equal(osc_client_get(client, "/ch/1/volum", hear, NULL), -EREMOTEIO);
    assert_string_equal(heard[3], "/error no such address; the nearest is /ch/1/volume");
    const struct osc_argument good = {.type = 'd', .number = -6.5}, bad = osc_int(500);
    assert_int_equal(osc_client_set(client, "/master/gain", &good, hear, NULL), 0);
    assert_string_equal(heard[4], "/master/gain -6.5");
    assert_true(value_of(PARAM_MASTER_GAIN) == -6.5);
    assert_int_equal(osc_client_set(client, "/ch/1/volume", &bad, hear, NULL), -EREMOTEIO);
    assert_string_equal(heard[5], "/error 500: must be 0 to 127");
    assert_string_equal(heard[6], "/ch/1/volume 100");
    assert_int_equal(osc_client_panic(client), 0);
    assert_int_equal(count_played(EVENT_PANIC), 1);
    osc_client_destroy(client);
}

static volatile sig_atomic_t stop;
static atomic_uint gain_heard;

static void hear_gain(void *context, const struct osc_message *message)
{
    (void)context;
    heard_count++;
    if (strcmp(message->address, "/master/gain") == 0)
        gain_heard = (unsigned)-message->arguments[0].number;
    if (gain_heard == 7)
        stop = 1;
}

static void *turn_gain(void *context)
{
    (void)context;
    for (int i = 0; i < 200 && heard_count < PARAM_COUNT; i++)
        usleep(10000);
    put(PARAM_MASTER_GAIN, -7);
    return NULL;
}

static void test_client_watches(void **state)
{
    pthread_t thread;
    (void)state;
    stop = 0;
    struct osc_client *client = connect_client();
    pthread_create(&thread, NULL, turn_gain, NULL);
    assert_int_equal(osc_client_watch(client, hear_gain, NULL, &stop), 0);
    pthread_join(thread, NULL);
    assert_int_equal(gain_heard, 7);
    WAIT_FOR(osc_server_subscribers(box.server) == 0);
    osc_client_destroy(client);
}

static void test_client_tells_when_nobody_answers(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t bytes = sizeof address;
    const int silent = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&address, bytes), 0);
    getsockname(silent, (struct sockaddr *)&address, &bytes);
    struct osc_client *client = osc_client_create("127.0.0.1", ntohs(address.sin_port));
    assert_int_equal(osc_client_get(client, "/x", hear, NULL), -ETIMEDOUT);
    close(silent);
    assert_int_equal(osc_client_get(client, "/x", hear, NULL), -ECONNREFUSED);
    osc_client_destroy(client);
}

static void test_ipv6_loopback(void **state)
{
    (void)state;
    struct osc_client *client = osc_client_create("::1", osc_server_port(box.server));
    if (!client) {
        print_message("SKIP: no IPv6 here\n");
        return;
    }
    const int error = osc_client_get(client, "/ch/1/volume", hear, NULL);
    if (error == -ECONNREFUSED || error == -EADDRNOTAVAIL || error == -ENETUNREACH)
        print_message("SKIP: no IPv6 loopback here\n");
    else
        assert_int_equal(error, 0);
    osc_client_destroy(client);
}

// TCP

static int connect_tcp(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons(osc_server_port(box.server)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int stream = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(stream, (const struct sockaddr *)&address, sizeof address), 0);
    return stream;
}

static void send_framed(int stream, enum osc_framing framing, const char *address,
                        const char *types, double a, double b)
{
    uint8_t packet[256], framed[OSC_FRAMED_MAX(256)];
    const struct osc_argument arguments[2] = {{types[0], a, NULL},
                                              {types[0] ? types[1] : 0, b, NULL}};
    const size_t bytes =
        osc_message_build(packet, sizeof packet, address, arguments, (unsigned)strlen(types));
    const size_t used = osc_frame_write(framing, packet, bytes, framed);
    // In two pieces, so that a packet is not always read in one.
    assert_int_equal(send(stream, framed, used / 2, MSG_NOSIGNAL), used / 2);
    assert_int_equal(send(stream, framed + used / 2, used - used / 2, MSG_NOSIGNAL),
                     used - used / 2);
}

/// Reads one packet; its first message's address and last number.
static double receive_framed(int stream, enum osc_framing framing, char address[64])
{
    static struct osc_frame frame;
    struct osc_message message;
    struct osc_fault fault;
    uint8_t byte;
    memset(&frame, 0, offsetof(struct osc_frame, packet));
    frame.framing = framing;
    for (int result = 0; result == 0;) {
        struct pollfd polled = {.fd = stream, .events = POLLIN};
        assert_int_equal(poll(&polled, 1, 2000), 1);
        assert_int_equal(recv(stream, &byte, 1, 0), 1);
        result = osc_frame_push(&frame, byte);
        assert_true(result >= 0);
    }
    assert_true(osc_check_packet(frame.packet, frame.used, &fault));
    assert_int_equal(osc_message_init(&message, frame.packet, frame.used), 0);
    snprintf(address, 64, "%s", message.address);
    const double number = message.count ? message.arguments[message.count - 1].number : 0;
    osc_message_finish(&message);
    return number;
}

static void talk_tcp(enum osc_framing framing)
{
    char address[64];
    const int stream = connect_tcp();
    send_framed(stream, framing, "/ch/4/volume", "i", 0xdb - 0xa0, 0);
    send_framed(stream, framing, "/ch/4/volume", "", 0, 0);
    assert_true(receive_framed(stream, framing, address) == 0xdb - 0xa0);
    assert_string_equal(address, "/ch/4/volume");
    const unsigned before = count_played(EVENT_RELEASE);
    send_framed(stream, framing, "/ch/1/note", "ii", 60, 100);
    WAIT_FOR(count_played(EVENT_PART_NOTE_ON) == before + 1);
    close(stream);
    WAIT_FOR(count_played(EVENT_RELEASE) == before + 1);
}

static void test_tcp_in_both_framings(void **state)
{
    (void)state;
    talk_tcp(OSC_FRAMING_LENGTH);
    talk_tcp(OSC_FRAMING_SLIP);
}

static bool is_closed(int stream)
{
    struct pollfd polled = {.fd = stream, .events = POLLIN};
    char byte;
    return poll(&polled, 1, 2000) == 1 && recv(stream, &byte, 1, 0) <= 0;
}

static void test_tcp_that_is_no_osc_is_closed(void **state)
{
    (void)state;
    const int stream = connect_tcp();
    assert_int_equal(send(stream, "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
    assert_true(is_closed(stream));
    close(stream);
}

static void test_tcp_takes_sixteen(void **state)
{
    char address[64];
    int streams[17];
    (void)state;
    for (int i = 0; i < 17; i++) {
        streams[i] = connect_tcp();
        if (i == 16)
            break;
        send_framed(streams[i], OSC_FRAMING_LENGTH, "/ping", "", 0, 0);
        receive_framed(streams[i], OSC_FRAMING_LENGTH, address);
        assert_string_equal(address, "/pong");
    }
    assert_true(is_closed(streams[16]));
    for (int i = 0; i < 17; i++)
        close(streams[i]);
}

static void test_tcp_slow_reader_hurts_nobody(void **state)
{
    uint8_t packet[64], framed[128];
    (void)state;
    const int stream = connect_tcp();
    const struct timeval patience = {.tv_usec = 200000};
    setsockopt(stream, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const size_t bytes = osc_message_build(packet, sizeof packet, "/info", NULL, 0);
    const size_t used = osc_frame_write(OSC_FRAMING_LENGTH, packet, bytes, framed);
    // It asks and never reads; the box must stop reading it long before the end.
    for (int i = 0; i < 20000; i++)
        if (send(stream, framed, used, MSG_NOSIGNAL) < 0)
            break;
    struct osc_client *client = connect_client();
    assert_int_equal(osc_client_get(client, "/ch/1/volume", hear, NULL), 0);
    osc_client_destroy(client);
    close(stream);
}

// liblo's own tools

static pid_t start(char *const argv[], int output)
{
    const pid_t child = fork();
    if (child == 0) {
        if (output >= 0)
            dup2(output, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    return child;
}

static void test_oscsend_sets_and_plays(void **state)
{
    char port[8];
    int status;
    (void)state;
    snprintf(port, sizeof port, "%u", (unsigned)osc_server_port(box.server));
    char *const set_gain[] = {"oscsend", "127.0.0.1", port, "/master/gain", "f", "-9", NULL};
    char *const note[] = {"oscsend", "127.0.0.1", port, "/ch/2/note", "ii", "60", "99", NULL};
    waitpid(start(set_gain, -1), &status, 0);
    if (WEXITSTATUS(status) == 127) {
        print_message("SKIP: liblo-tools is not installed\n");
        return;
    }
    WAIT_FOR(value_of(PARAM_MASTER_GAIN) == -9);
    waitpid(start(note, -1), &status, 0);
    WAIT_FOR(count_played(EVENT_PART_NOTE_ON) == 1);
}

/// A dump, as the box sends it, sent on to oscdump: it prints a line for every parameter.
static void test_oscdump_reads_a_dump(void **state)
{
    (void)state;
    const struct osc_settings free_port = {.access = OSC_ACCESS_LOOPBACK};
    struct osc_doors doors;
    char port[8], text[65536];
    int output[2], status;
    size_t used = 0;
    assert_int_equal(osc_doors_open(&doors, free_port.access, 0), 0);
    snprintf(port, sizeof port, "%u", (unsigned)doors.port);
    osc_doors_close(&doors);

    assert_int_equal(pipe(output), 0);
    char *const oscdump[] = {"oscdump", "-L", port, NULL};
    const pid_t child = start(oscdump, output[1]);
    close(output[1]);
    usleep(300000);
    if (waitpid(child, &status, WNOHANG) == child) {
        print_message("SKIP: liblo-tools is not installed\n");
        close(output[0]);
        return;
    }
    struct osc_client *client = connect_client();
    const int relay = osc_socket_connect("127.0.0.1", (uint16_t)atoi(port));
    const int subscriber = osc_socket_connect("127.0.0.1", osc_server_port(box.server));
    uint8_t packet[2048];
    const size_t bytes = osc_message_build(packet, sizeof packet, "/dump", NULL, 0);
    assert_int_equal(osc_socket_write(subscriber, packet, bytes), bytes);
    for (struct pollfd polled = {.fd = subscriber, .events = POLLIN}; poll(&polled, 1, 300) == 1;) {
        const ssize_t size = osc_socket_read(subscriber, packet, sizeof packet);
        assert_in_range(size, 1, OSC_REPLY_MAX);
        assert_int_equal(osc_socket_write(relay, packet, (size_t)size), size);
    }
    for (struct pollfd polled = {.fd = output[0], .events = POLLIN}; poll(&polled, 1, 300) == 1;) {
        const ssize_t size = read(output[0], text + used, sizeof text - 1 - used);
        if (size <= 0)
            break;
        used += (size_t)size;
    }
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    text[used] = 0;
    for (unsigned i = 0; i < PARAM_COUNT; i++) {
        char path[64];
        const int length = param_path(i, path, sizeof path);
        path[length] = ' ';
        path[length + 1] = 0;
        if (!strstr(text, path))
            fail_msg("oscdump did not print %s", path);
    }
    close(relay);
    close(subscriber);
    close(output[0]);
    osc_client_destroy(client);
}

// Ports

static void test_port_in_use_is_told(void **state)
{
    (void)state;
    const struct osc_settings settings = {.access = OSC_ACCESS_LOOPBACK,
                                          .port = osc_server_port(box.server)};
    errno = 0;
    assert_null(osc_server_create(&settings, &box.host));
    assert_int_equal(errno, EADDRINUSE);
    const struct osc_settings open = {.access = OSC_ACCESS_OPEN, .port = settings.port};
    errno = 0;
    assert_null(osc_server_create(&open, &box.host));
    assert_int_equal(errno, EADDRINUSE);
}

static void test_access_off_listens_nowhere(void **state)
{
    (void)state;
    const struct osc_settings settings = {.access = OSC_ACCESS_OFF, .port = 9000};
    struct osc_server *server = osc_server_create(&settings, &box.host);
    assert_non_null(server);
    assert_int_equal(osc_server_port(server), 0);
    assert_int_equal(osc_server_run(server, 1), 0);
    osc_server_destroy(server);
}

static void test_open_lets_ipv4_in(void **state)
{
    (void)state;
    const struct osc_settings settings = {.access = OSC_ACCESS_OPEN};
    struct osc_server *server = osc_server_create(&settings, &box.host);
    assert_non_null(server);
    struct osc_counts counts;
    const int one = osc_socket_connect("127.0.0.1", osc_server_port(server));
    uint8_t packet[64];
    osc_socket_write(one, packet, osc_message_build(packet, sizeof packet, "/ping", NULL, 0));
    for (int i = 0; i < 20; i++)
        osc_server_run(server, 20);
    osc_server_read_counts(server, &counts);
    assert_int_equal(counts.packets, 1);
    assert_int_equal(osc_socket_read(one, packet, sizeof packet), 12);
    close(one);
    osc_server_destroy(server);
}

#define BOX_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOX_TEST(test_client_gets_and_sets),
        BOX_TEST(test_client_watches),
        BOX_TEST(test_client_tells_when_nobody_answers),
        BOX_TEST(test_ipv6_loopback),
        BOX_TEST(test_tcp_in_both_framings),
        BOX_TEST(test_tcp_that_is_no_osc_is_closed),
        BOX_TEST(test_tcp_takes_sixteen),
        BOX_TEST(test_tcp_slow_reader_hurts_nobody),
        BOX_TEST(test_oscsend_sets_and_plays),
        BOX_TEST(test_oscdump_reads_a_dump),
        BOX_TEST(test_port_in_use_is_told),
        BOX_TEST(test_access_off_listens_nowhere),
        BOX_TEST(test_open_lets_ipv4_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
