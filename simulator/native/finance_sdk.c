/*
 * A fake of the vendor's session-archive library (WeWorkFinanceSdk), with the documented ABI.
 *
 * It asks the simulator named by WEWORK_SIM_URL (plain HTTP, like http://127.0.0.1:8800) and hands its answers on, so
 * that a binding made for the real library runs unchanged. What it does on purpose, because the real one may:
 *   - what it returns is not terminated by NUL: the byte behind it is '#';
 *   - every pointer it gives out has to be given back; FakeLive...() count those that were not;
 *   - it prints to standard output.
 * Build flags: FAKE_CRASH_AT_SEQ=n and FAKE_HANG_AT_SEQ=n let GetChatData die, or never return, for that seq;
 * FAKE_CRASH_IN_DECRYPT lets every DecryptData die.
 *
 * Source of the ABI and of the return values: 06-session-archive.md, 6.2. C99 and POSIX sockets, nothing else.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#define RET_OK 0
#define RET_PARAMETERS 10000
#define RET_NETWORK 10001
#define RET_PARSE 10002
#define RET_SYSTEM 10003

#define DEFAULT_TIMEOUT_SECONDS 10
#define MOST_ANSWER_BYTES (256u * 1024u * 1024u)

typedef struct Slice_t { char *buf; int len; } Slice_t;
typedef struct MediaData { char *outindexbuf; int out_len; char *data; int data_len; int is_finish; } MediaData_t;
typedef struct WeWorkFinanceSdk_t { char *corpid; char *secret; } WeWorkFinanceSdk_t;

static long live_sdks, live_slices, live_media, live_buffers;

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

typedef struct Text { char *at; size_t used, room; int failed; } Text;

static void add_bytes(Text *text, const char *bytes, size_t count)
{
    if (text->failed) return;
    if (text->used + count + 1 > text->room) {
        size_t room = (text->used + count + 1) * 2;
        char *grown = realloc(text->at, room);
        if (grown == NULL) { text->failed = 1; return; }
        text->at = grown;
        text->room = room;
    }
    memcpy(text->at + text->used, bytes, count);
    text->used += count;
    text->at[text->used] = '\0';
}

static void add(Text *text, const char *words) { add_bytes(text, words, strlen(words)); }

static void add_format(Text *text, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    add(text, line);
}

static void add_json_string(Text *text, const char *value)
{
    add(text, "\"");
    for (const unsigned char *at = (const unsigned char *)(value ? value : ""); *at; at++) {
        if (*at == '"' || *at == '\\') { add_bytes(text, "\\", 1); add_bytes(text, (const char *)at, 1); }
        else if (*at < 0x20) add_format(text, "\\u%04x", *at);
        else add_bytes(text, (const char *)at, 1);
    }
    add(text, "\"");
}

static void drop(Text *text) { free(text->at); memset(text, 0, sizeof *text); }

static char *copy_of(const char *value)
{
    char *copy = malloc(strlen(value) + 1);
    if (copy != NULL) strcpy(copy, value);
    return copy;
}

/* A counted copy that is not terminated: the byte behind it is there, and it is not NUL. */
static char *hand_out(const char *bytes, size_t count)
{
    char *copy = malloc(count + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, bytes, count);
    copy[count] = '#';
    live_buffers++;
    return copy;
}

static void take_back(char **buffer)
{
    if (*buffer != NULL) { free(*buffer); live_buffers--; }
    *buffer = NULL;
}

/* ---- HTTP ------------------------------------------------------------------------------------------------------- */

typedef struct Answer { Text raw; const char *body; size_t body_len; int ret; } Answer;

static int open_connection(const char *host, const char *port, int timeout_seconds)
{
    struct addrinfo hints, *found = NULL;
    struct timeval patience = { timeout_seconds, 0 };
    int connection = -1;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
    for (struct addrinfo *one = found; one != NULL && connection < 0; one = one->ai_next) {
        connection = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
        if (connection < 0) continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(connection, one->ai_addr, one->ai_addrlen) != 0) { close(connection); connection = -1; }
    }
    freeaddrinfo(found);
    return connection;
}

/* Split http://HOST:PORT; returns 0 when WEWORK_SIM_URL is not of this form. */
static int read_address(char host[256], char port[16])
{
    const char *url = getenv("WEWORK_SIM_URL");
    if (url == NULL || strncmp(url, "http://", 7) != 0) return 0;
    strcpy(port, "80");
    return sscanf(url + 7, "%255[^:/]:%15[0-9]", host, port) >= 1;
}

static int send_all(int connection, const Text *text)
{
    size_t sent = 0;
    while (sent < text->used) {
        ssize_t count = send(connection, text->at + sent, text->used - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return 0;
        sent += (size_t)count;
    }
    return 1;
}

static int receive_all(int connection, Text *raw)
{
    char part[65536];
    for (;;) {
        ssize_t count = recv(connection, part, sizeof part, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return 0;
        if (count == 0) return 1;
        add_bytes(raw, part, (size_t)count);
        if (raw->failed || raw->used > MOST_ANSWER_BYTES) return 0;
    }
}

/* The value of a header, as far as the end of its line; NULL when it is not there. `name` as "\r\nx-sdk-ret: ". */
static const char *find_header(const Answer *answer, const char *name, size_t *length)
{
    size_t count = strlen(name);
    for (const char *at = answer->raw.at; at + count < answer->body; at++) {
        if (strncasecmp(at, name, count) == 0) {
            const char *end = strstr(at + count, "\r\n");
            *length = (size_t)(end - (at + count));
            return at + count;
        }
    }
    return NULL;
}

static int read_answer(Answer *answer)
{
    size_t length = 0;
    const char *head_end = answer->raw.at ? strstr(answer->raw.at, "\r\n\r\n") : NULL;
    const char *value;
    if (head_end == NULL || strncmp(answer->raw.at, "HTTP/1.1 200", 12) != 0) return RET_PARSE;
    answer->body = head_end + 4;
    answer->body_len = answer->raw.used - (size_t)(answer->body - answer->raw.at);
    value = find_header(answer, "\r\ncontent-length: ", &length);
    if (value == NULL || strtoull(value, NULL, 10) != answer->body_len) return RET_NETWORK;
    value = find_header(answer, "\r\nx-sdk-ret: ", &length);
    return value == NULL ? RET_PARSE : (int)strtol(value, NULL, 10);
}

/* POST a JSON body to a call of the simulator; the answer is to be dropped in any case. */
static int post(const char *call, const Text *body, int timeout_seconds, Answer *answer)
{
    char host[256], port[16];
    Text request = { 0 };
    int connection, ok;
    memset(answer, 0, sizeof *answer);
    if (body->failed) return RET_SYSTEM;
    if (!read_address(host, port)) return RET_PARAMETERS;
    add_format(&request, "POST /_sdk/native/%s HTTP/1.1\r\nHost: %s:%s\r\n", call, host, port);
    add_format(&request, "Content-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", body->used);
    add_bytes(&request, body->at, body->used);
    if (request.failed) { drop(&request); return RET_SYSTEM; }
    connection = open_connection(host, port, timeout_seconds > 0 ? timeout_seconds : DEFAULT_TIMEOUT_SECONDS);
    if (connection < 0) { drop(&request); return RET_NETWORK; }
    ok = send_all(connection, &request) && receive_all(connection, &answer->raw);
    close(connection);
    drop(&request);
    return ok ? read_answer(answer) : RET_NETWORK;
}

/* ---- the documented functions ------------------------------------------------------------------------------------ */

WeWorkFinanceSdk_t *NewSdk(void)
{
    WeWorkFinanceSdk_t *sdk = calloc(1, sizeof *sdk);
    if (sdk != NULL) live_sdks++;
    return sdk;
}

int Init(WeWorkFinanceSdk_t *sdk, const char *corpid, const char *secret)
{
    if (sdk == NULL || corpid == NULL || secret == NULL || !*corpid || !*secret) return RET_PARAMETERS;
    free(sdk->corpid);
    free(sdk->secret);
    sdk->corpid = copy_of(corpid);
    sdk->secret = copy_of(secret);
    printf("fake finance sdk: ready\n");
    fflush(stdout);
    return sdk->corpid != NULL && sdk->secret != NULL ? RET_OK : RET_SYSTEM;
}

void DestroySdk(WeWorkFinanceSdk_t *sdk)
{
    if (sdk == NULL) return;
    free(sdk->corpid);
    free(sdk->secret);
    free(sdk);
    live_sdks--;
}

static void misbehave(unsigned long long seq)
{
    (void)seq;
#ifdef FAKE_CRASH_AT_SEQ
    if (seq == FAKE_CRASH_AT_SEQ) raise(SIGSEGV);
#endif
#ifdef FAKE_HANG_AT_SEQ
    while (seq == FAKE_HANG_AT_SEQ) sleep(1);
#endif
}

static void add_login(Text *body, const WeWorkFinanceSdk_t *sdk, const char *proxy, const char *passwd, int timeout)
{
    add(body, "{\"corpid\":");
    add_json_string(body, sdk->corpid);
    add(body, ",\"secret\":");
    add_json_string(body, sdk->secret);
    add(body, ",\"proxy\":");
    add_json_string(body, proxy);
    add(body, ",\"passwd\":");
    add_json_string(body, passwd);
    add_format(body, ",\"timeout\":%d", timeout);
}

static int fill(Slice_t *out, const Answer *answer)
{
    take_back(&out->buf);
    out->len = 0;
    out->buf = hand_out(answer->body, answer->body_len);
    if (out->buf == NULL) return RET_SYSTEM;
    out->len = (int)answer->body_len;
    return RET_OK;
}

int GetChatData(WeWorkFinanceSdk_t *sdk, unsigned long long seq, unsigned int limit, const char *proxy,
                const char *passwd, int timeout, Slice_t *out)
{
    Text body = { 0 };
    Answer answer;
    int ret;
    if (sdk == NULL || sdk->corpid == NULL || out == NULL || limit == 0 || limit > 1000) return RET_PARAMETERS;
    misbehave(seq);
    add_login(&body, sdk, proxy, passwd, timeout);
    add_format(&body, ",\"seq\":%llu,\"limit\":%u}", seq, limit);
    ret = post("chatdata", &body, timeout, &answer);
    if (ret == RET_OK) ret = fill(out, &answer);
    drop(&body);
    drop(&answer.raw);
    return ret;
}

int DecryptData(const char *encrypt_key, const char *encrypt_msg, Slice_t *out)
{
    Text body = { 0 };
    Answer answer;
    int ret;
    if (encrypt_key == NULL || encrypt_msg == NULL || out == NULL) return RET_PARAMETERS;
#ifdef FAKE_CRASH_IN_DECRYPT
    abort();
#endif
    add(&body, "{\"encrypt_key\":");
    add_json_string(&body, encrypt_key);
    add(&body, ",\"encrypt_msg\":");
    add_json_string(&body, encrypt_msg);
    add(&body, "}");
    ret = post("decrypt", &body, 0, &answer);
    if (ret == RET_OK) ret = fill(out, &answer);
    drop(&body);
    drop(&answer.raw);
    return ret;
}

int GetMediaData(WeWorkFinanceSdk_t *sdk, const char *indexbuf, const char *sdkFileid, const char *proxy,
                 const char *passwd, int timeout, MediaData_t *out)
{
    Text body = { 0 };
    Answer answer;
    const char *index, *finish;
    size_t index_len = 0, finish_len = 0;
    int ret;
    if (sdk == NULL || sdk->corpid == NULL || sdkFileid == NULL || !*sdkFileid || out == NULL) return RET_PARAMETERS;
    add_login(&body, sdk, proxy, passwd, timeout);
    add(&body, ",\"sdkfileid\":");
    add_json_string(&body, sdkFileid);
    add(&body, ",\"indexbuf\":");
    add_json_string(&body, indexbuf);
    add(&body, "}");
    ret = post("media", &body, timeout, &answer);
    if (ret == RET_OK) {
        index = find_header(&answer, "\r\nx-sdk-index: ", &index_len);
        finish = find_header(&answer, "\r\nx-sdk-finish: ", &finish_len);
        take_back(&out->outindexbuf);
        take_back(&out->data);
        out->outindexbuf = hand_out(index ? index : "", index_len);
        out->data = hand_out(answer.body, answer.body_len);
        out->out_len = (int)index_len;
        out->data_len = (int)answer.body_len;
        out->is_finish = finish != NULL && *finish == '1';
        if (out->outindexbuf == NULL || out->data == NULL) ret = RET_SYSTEM;
    }
    drop(&body);
    drop(&answer.raw);
    return ret;
}

Slice_t *NewSlice(void)
{
    Slice_t *slice = calloc(1, sizeof *slice);
    if (slice != NULL) live_slices++;
    return slice;
}

void FreeSlice(Slice_t *slice)
{
    if (slice == NULL) return;
    take_back(&slice->buf);
    free(slice);
    live_slices--;
}

char *GetContentFromSlice(Slice_t *slice) { return slice->buf; }
int GetSliceLen(Slice_t *slice) { return slice->len; }

MediaData_t *NewMediaData(void)
{
    MediaData_t *media = calloc(1, sizeof *media);
    if (media != NULL) live_media++;
    return media;
}

void FreeMediaData(MediaData_t *media)
{
    if (media == NULL) return;
    take_back(&media->outindexbuf);
    take_back(&media->data);
    free(media);
    live_media--;
}

char *GetOutIndexBuf(MediaData_t *media) { return media->outindexbuf; }
char *GetData(MediaData_t *media) { return media->data; }
int GetIndexLen(MediaData_t *media) { return media->out_len; }
int GetDataLen(MediaData_t *media) { return media->data_len; }
int IsMediaDataFinish(MediaData_t *media) { return media->is_finish; }

/* ---- only the fake: what was given out and has not come back ------------------------------------------------------ */

long FakeLiveSdks(void) { return live_sdks; }
long FakeLiveSlices(void) { return live_slices; }
long FakeLiveMedia(void) { return live_media; }
long FakeLiveBuffers(void) { return live_buffers; }
