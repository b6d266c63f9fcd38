/* load: a closed-loop SMTP load generator that sends many different messages in turn.
 *
 * In: a manifest, one message a line: "FILE SENDER RECIPIENT". Out: one JSON line with rate, latencies and errors.
 * N sessions send n messages each per connection, one after the other, for T seconds; every message differs from the one
 * before. Standard: RFC 5321; the client's address is claimed with a PROXY v1 line. Loopback only.
 *
 *   load -h 127.0.0.1 -p 2525 -m manifest -c 10 -n 10 -t 3 [-P 192.0.2.10] [-H mail.example.com] [-M most messages]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum step { CONNECTING, GREETING, EHLO, MAIL, RCPT, DATA, CONTENT, QUIT };
static const char *names[] = {"connect", "greeting", "ehlo", "mail", "rcpt", "data", "content", "quit"};

struct mail {
    char *from, *to, *octets; /* octets are dot-stuffed and end in CRLF.CRLF */
    size_t size;
};
struct session {
    int fd, sent, failed;
    enum step step;
    struct mail *mail;
    size_t offset; /* of the content that is on its way */
    double connected, began;
    char in[8192];
    size_t in_size;
};
struct times {
    double *at;
    long count, room;
};

static struct mail *mails;
static long mail_count, next_mail, accepted, started, connections, errors, most;
static int poller, per_connection = 1;
static double until;
static char first_error[256];
static const char *claimed, *helo = "mail.example.com";
static struct sockaddr_in server;
static struct times transactions, sessions_first;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void note(struct times *times, double seconds)
{
    if (times->count == times->room) {
        times->room = times->room ? times->room * 2 : 4096;
        times->at = realloc(times->at, times->room * sizeof *times->at);
        if (!times->at)
            die("realloc");
    }
    times->at[times->count++] = seconds;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double milliseconds(struct times *times, double share)
{
    return times->count ? times->at[(long)(share * (times->count - 1))] * 1e3 : 0;
}

static void read_mail(struct mail *mail, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    fseek(file, 0, SEEK_END);
    size_t size = ftell(file), used = 0;
    rewind(file);
    char *raw = malloc(size + 1), *out = malloc(size * 2 + 8);
    if (!raw || !out || fread(raw, 1, size, file) != size)
        die(path);
    fclose(file);
    for (size_t i = 0; i < size; i++) {
        if (raw[i] == '.' && (i == 0 || raw[i - 1] == '\n'))
            out[used++] = '.';
        out[used++] = raw[i];
    }
    free(raw);
    memcpy(out + used, ".\r\n", 3);
    mail->octets = out;
    mail->size = used + 3;
}

static void read_manifest(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[4096], name[2048], from[512], to[512];
    if (!file)
        die(path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%2047s %511s %511s", name, from, to) != 3)
            continue;
        mails = realloc(mails, (mail_count + 1) * sizeof *mails);
        if (!mails)
            die("realloc");
        read_mail(&mails[mail_count], name);
        mails[mail_count].from = strdup(from);
        mails[mail_count++].to = strdup(to);
    }
    fclose(file);
    if (!mail_count) {
        fprintf(stderr, "%s names no message\n", path);
        exit(2);
    }
}

static int may_begin(void) { return now() < until && (!most || started < most); }

static void watch(struct session *s, int writing, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = s};
    if (epoll_ctl(poller, operation, s->fd, &event))
        die("epoll_ctl");
}

static void fail(struct session *s, const char *why)
{
    if (!errors++)
        snprintf(first_error, sizeof first_error, "%s: %.200s", names[s->step], why);
    s->failed = 1;
}

static int open_session(struct session *s)
{
    int one = 1;
    memset(s, 0, sizeof *s);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        die("socket");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    s->connected = now();
    connections++;
    if (connect(s->fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) {
        fail(s, strerror(errno));
        close(s->fd);
        return 0;
    }
    watch(s, 1, EPOLL_CTL_ADD);
    return 1;
}

static void say(struct session *s, const char *text, size_t size)
{
    if (send(s->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail(s, "could not send a command");
}

static void say_quit(struct session *s)
{
    s->step = QUIT;
    say(s, "QUIT\r\n", 6);
}

static void begin_mail(struct session *s)
{
    char text[1200];
    s->mail = &mails[next_mail++ % mail_count];
    s->sent++;
    started++;
    s->began = now();
    s->step = MAIL;
    say(s, text, snprintf(text, sizeof text, "MAIL FROM:<%s>\r\n", s->mail->from));
}

static void send_content(struct session *s)
{
    while (s->offset < s->mail->size) {
        ssize_t n = send(s->fd, s->mail->octets + s->offset, s->mail->size - s->offset, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN)
                fail(s, strerror(errno));
            else
                watch(s, 1, EPOLL_CTL_MOD);
            return;
        }
        s->offset += n;
    }
    watch(s, 0, EPOLL_CTL_MOD);
}

static void take_reply(struct session *s, const char *line)
{
    char text[1200];
    int good = line[0] == '2' || (s->step == DATA && line[0] == '3');
    if (!good && s->step != QUIT) {
        fail(s, line);
        return;
    }
    switch (s->step) {
    case GREETING:
        s->step = EHLO;
        say(s, text, snprintf(text, sizeof text, "EHLO %s\r\n", helo));
        break;
    case MAIL:
        s->step = RCPT;
        say(s, text, snprintf(text, sizeof text, "RCPT TO:<%s>\r\n", s->mail->to));
        break;
    case RCPT:
        s->step = DATA;
        say(s, "DATA\r\n", 6);
        break;
    case DATA:
        s->step = CONTENT;
        s->offset = 0;
        send_content(s);
        break;
    case CONTENT: {
        double t = now();
        if (t <= until || most) {
            accepted++;
            note(&transactions, t - s->began);
            if (s->sent == 1)
                note(&sessions_first, t - s->connected);
        }
    } /* fall through */
    case EHLO:
        if (s->sent < per_connection && may_begin())
            begin_mail(s);
        else
            say_quit(s);
        break;
    default:
        s->failed = 1; /* the answer to QUIT: done */
    }
}

static void read_replies(struct session *s)
{
    ssize_t n = recv(s->fd, s->in + s->in_size, sizeof s->in - 1 - s->in_size, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        if (s->step == QUIT)
            s->failed = 1;
        else
            fail(s, "the server closed the connection");
        return;
    }
    s->in_size += n;
    s->in[s->in_size] = 0;
    char *line = s->in, *end;
    while (!s->failed && (end = strchr(line, '\n'))) {
        *end = 0;
        if (end - line >= 4 && line[3] != '-')
            take_reply(s, line);
        line = end + 1;
    }
    s->in_size -= line - s->in;
    memmove(s->in, line, s->in_size);
    if (s->in_size == sizeof s->in - 1)
        fail(s, "the reply is too long");
}

static void take_event(struct session *s, unsigned events)
{
    if (s->step == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        char text[200];
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            fail(s, strerror(error));
            return;
        }
        s->step = GREETING;
        watch(s, 0, EPOLL_CTL_MOD);
        if (claimed)
            say(s, text, snprintf(text, sizeof text, "PROXY TCP4 %s 192.0.2.1 40000 25\r\n", claimed));
        return;
    }
    if ((events & EPOLLOUT) && s->step == CONTENT)
        send_content(s);
    if (!s->failed && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        read_replies(s);
}

static void report(double began, double seconds, int stuck)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu = use.ru_utime.tv_sec + use.ru_stime.tv_sec + 1e-6 * (use.ru_utime.tv_usec + use.ru_stime.tv_usec);
    double took = most ? now() - began : seconds;
    qsort(transactions.at, transactions.count, sizeof(double), by_size);
    qsort(sessions_first.at, sessions_first.count, sizeof(double), by_size);
    for (char *c = first_error; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < 32)
            *c = ' ';
    printf("{\"accepted\": %ld, \"started\": %ld, \"seconds\": %.3f, \"rate\": %.1f, \"connections\": %ld, "
           "\"errors\": %ld, \"error\": \"%s\", \"stuck\": %d, \"p50\": %.2f, \"p99\": %.2f, \"first_p50\": %.2f, "
           "\"own_cpu\": %.4f}\n",
           accepted, started, took, accepted / took, connections, errors, first_error, stuck,
           milliseconds(&transactions, 0.5), milliseconds(&transactions, 0.99), milliseconds(&sessions_first, 0.5),
           started ? cpu * 1e3 / started : 0);
}

int main(int argc, char **argv)
{
    int option, sessions = 1;
    double seconds = 3, began;
    const char *manifest = NULL;
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while ((option = getopt(argc, argv, "h:p:m:c:n:t:P:H:M:")) != -1) {
        switch (option) {
        case 'h': if (inet_pton(AF_INET, optarg, &server.sin_addr) != 1) return 2; break;
        case 'p': server.sin_port = htons(atoi(optarg)); break;
        case 'm': manifest = optarg; break;
        case 'c': sessions = atoi(optarg); break;
        case 'n': per_connection = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'P': claimed = optarg; break;
        case 'H': helo = optarg; break;
        case 'M': most = atol(optarg); break;
        default: return 2;
        }
    }
    if (!manifest || !server.sin_port || ntohl(server.sin_addr.s_addr) >> 24 != 127) {
        fprintf(stderr, "needs -p PORT -m MANIFEST, and a host on loopback\n");
        return 2;
    }
    read_manifest(manifest);
    poller = epoll_create1(0);
    struct session *all = calloc(sessions, sizeof *all);
    if (poller < 0 || !all)
        die("start");
    began = now();
    until = most ? began + 3600 : began + seconds;
    double hard = until + 30;
    int live = 0;
    for (int i = 0; i < sessions; i++)
        live += open_session(&all[i]);
    struct epoll_event events[256];
    while (live > 0 && now() < hard) {
        int n = epoll_wait(poller, events, 256, 200);
        for (int i = 0; i < n; i++) {
            struct session *s = events[i].data.ptr;
            take_event(s, events[i].events);
            if (!s->failed)
                continue;
            close(s->fd);
            if (errors > 1000 || !may_begin() || !open_session(s))
                live--;
        }
    }
    report(began, seconds, live);
    return 0;
}
