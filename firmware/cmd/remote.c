// get, set, watch and panic: a running box, asked over OSC.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "config/param.h"
#include "config/text.h"
#include "firmware/cmd/commands.h"
#include "net/osc_client.h"
#include "net/osc_pattern.h"
#include "net/osc_space.h"

struct remote {
    const char *command;
    const char *host;
    uint16_t port;
    bool is_json;
    char **arguments; ///< what follows the options
    int count;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    const long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > 65535) {
        fprintf(stderr, "consort: --port %s: must be 1 to 65535\n", text);
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

/// Reads the options, which stand before the first address: a value may begin with a minus.
static bool parse(struct remote *remote, int argc, char **argv)
{
    static const struct option options[] = {{"host", required_argument, NULL, 'H'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {0}};

    *remote = (struct remote){.command = argv[0], .host = "127.0.0.1", .port = 9000};
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        if (option == 'H')
            remote->host = optarg;
        else if (option == 'j')
            remote->is_json = true;
        else if (option != 'p' || !parse_port(optarg, &remote->port))
            return false;
    }
    remote->arguments = argv + optind;
    remote->count = argc - optind;
    return true;
}

static int usage(const char *command, const char *arguments)
{
    fprintf(stderr, "usage: consort %s [--host HOST] [--port PORT] %s\n", command, arguments);
    return COMMAND_USAGE;
}

static bool are_addresses(const struct remote *remote, int count)
{
    for (int i = 0; i < count; i++) {
        const char *address = remote->arguments[i];
        if (address[0] == '/' && strlen(address) < OSC_ADDRESS_MAX)
            continue;
        fprintf(stderr, "consort %s: %s: an address begins with a slash and has at most %d bytes\n",
                remote->command, address, OSC_ADDRESS_MAX - 1);
        return false;
    }
    return true;
}

static struct osc_client *connect_box(const struct remote *remote)
{
    struct osc_client *client = osc_client_create(remote->host, remote->port);

    if (!client)
        fprintf(stderr, "consort %s: %s: %s\n", remote->command, remote->host,
                errno == ENOENT ? "no such host" : strerror(errno));
    return client;
}

/// Says why the box could not be asked. What it answered itself has been said already.
static int conclude(const struct remote *remote, int error)
{
    const char *reason = error == -ETIMEDOUT      ? "no answer; is Consort running there?"
                         : error == -ECONNREFUSED ? "nothing listens there; is Consort running?"
                                                  : strerror(-error);

    if (error != 0 && error != -EREMOTEIO)
        fprintf(stderr, "consort %s: %s port %u: %s\n", remote->command, remote->host,
                (unsigned)remote->port, reason);
    return error == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

static void print_json(const struct osc_message *message)
{
    const struct osc_argument *value = &message->arguments[0];

    fputs("{\"address\": ", stdout);
    json_write_string(stdout, message->address);
    fputs(", \"value\": ", stdout);
    if (value->text)
        json_write_string(stdout, value->text);
    else
        json_write_number(stdout, value->number);
    fputs("}\n", stdout);
}

static void print_plain(const struct osc_message *message)
{
    const struct osc_argument *value = &message->arguments[0];
    char shown[1024];

    if (value->text)
        text_show(value->text, strlen(value->text), shown, sizeof shown);
    else
        text_format_number(value->number, shown, sizeof shown);
    printf("%s %s\n", message->address, shown);
}

static void print_error(const struct remote *remote, const struct osc_message *message)
{
    fprintf(stderr, "consort %s:", remote->command);
    for (unsigned i = 0; i < message->count; i++) {
        char shown[1024];
        const char *text = message->arguments[i].text ? message->arguments[i].text : "";
        text_show(text, strlen(text), shown, sizeof shown);
        fprintf(stderr, "%s%s", i ? ": " : " ", shown);
    }
    fputc('\n', stderr);
}

static void print(void *context, const struct osc_message *message)
{
    const struct remote *remote = context;

    if (strcmp(message->address, "/error") == 0)
        print_error(remote, message);
    else if (message->count && remote->is_json)
        print_json(message);
    else if (message->count)
        print_plain(message);
}

int command_get(int argc, char **argv)
{
    struct remote remote;
    int status = COMMAND_DONE;

    if (!parse(&remote, argc, argv) || remote.count == 0 || !are_addresses(&remote, remote.count))
        return usage("get", "[--json] ADDRESS...");
    struct osc_client *client = connect_box(&remote);
    if (!client)
        return COMMAND_FAILED;
    for (int i = 0; i < remote.count; i++) {
        const int error = osc_client_get(client, remote.arguments[i], print, &remote);
        if (conclude(&remote, error) != COMMAND_DONE)
            status = COMMAND_FAILED;
        if (error != 0 && error != -EREMOTEIO)
            break; // the others would not be answered either
    }
    osc_client_destroy(client);
    return status;
}

static bool is_one_of(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

/// The argument that a word on the command line stands for: the table knows which values are
/// texts, else what looks like a number is one.
static struct osc_argument read_value(const char *address, const char *word)
{
    struct osc_target target;
    char *end;

    osc_space_target(address, &target);
    const unsigned index = osc_space_next(&target, 0);
    const int type = index < PARAM_COUNT ? param_row(index)->type : -1;
    const double number = strtod(word, &end);
    const bool is_number = end != word && *end == 0;

    if (type == PARAM_TEXT)
        return osc_text(word);
    if (is_number)
        return (struct osc_argument){.type = 'd', .number = number};
    if (type == PARAM_BOOL && is_one_of(word, "on", "true"))
        return (struct osc_argument){.type = 'T'};
    if (type == PARAM_BOOL && is_one_of(word, "off", "false"))
        return (struct osc_argument){.type = 'F'};
    return osc_text(word);
}

int command_set(int argc, char **argv)
{
    struct remote remote;

    if (!parse(&remote, argc, argv) || remote.count != 2 || !are_addresses(&remote, 1))
        return usage("set", "[--json] ADDRESS VALUE");
    struct osc_client *client = connect_box(&remote);
    if (!client)
        return COMMAND_FAILED;
    const struct osc_argument value = read_value(remote.arguments[0], remote.arguments[1]);
    const int error = osc_client_set(client, remote.arguments[0], &value, print, &remote);
    osc_client_destroy(client);
    return conclude(&remote, error);
}

static bool is_wanted(const struct remote *remote, const char *address)
{
    for (int i = 0; i < remote->count; i++)
        if (strcmp(remote->arguments[i], address) == 0 ||
            osc_pattern_match(remote->arguments[i], address))
            return true;
    return remote->count == 0 || strcmp(address, "/error") == 0;
}

static void print_wanted(void *context, const struct osc_message *message)
{
    if (!is_wanted(context, message->address))
        return;
    print(context, message);
    fflush(stdout);
}

int command_watch(int argc, char **argv)
{
    struct remote remote;

    if (!parse(&remote, argc, argv) || !are_addresses(&remote, remote.count))
        return usage("watch", "[--json] [PATTERN...]");
    struct osc_client *client = connect_box(&remote);
    if (!client)
        return COMMAND_FAILED;
    const struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    const int error = osc_client_watch(client, print_wanted, &remote, &is_interrupted);
    osc_client_destroy(client);
    return conclude(&remote, error);
}

int command_panic(int argc, char **argv)
{
    struct remote remote;

    if (!parse(&remote, argc, argv) || remote.count != 0)
        return usage("panic", "");
    struct osc_client *client = connect_box(&remote);
    if (!client)
        return COMMAND_FAILED;
    const int error = osc_client_panic(client);
    osc_client_destroy(client);
    return conclude(&remote, error);
}
