#include "recorder.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void vput(struct text *text, const char *format, va_list list) {
  va_list again;
  va_copy(again, list);
  int n = vsnprintf(NULL, 0, format, list);
  while (text->used + n + 1 > text->room) {
    text->room = text->room ? text->room * 2 : 4096;
    text->at = realloc(text->at, text->room);
    if (!text->at) abort();
  }
  vsnprintf(text->at + text->used, n + 1, format, again);
  text->used += n;
  va_end(again);
}

void put(struct text *text, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vput(text, format, list);
  va_end(list);
}

/* Bytes above 127 as the character of that number: names need not be UTF-8. */
void put_string(struct text *text, const char *string) {
  put(text, "\"");
  for (; *string; string++) {
    unsigned char c = *string;
    if (c == '"' || c == '\\') put(text, "\\%c", c);
    else if (c < ' ' || c > '~') put(text, "\\u%04x", c);
    else put(text, "%c", c);
  }
  put(text, "\"");
}

void put_word(struct text *text, const char *name) {
  put(text, "\"");
  for (; *name && !(name[0] == '_' && name[1] == '_'); name++) put(text, "%c", *name == '_' ? '-' : *name);
  put(text, "\"");
}

void put_comma(struct text *text) {
  if (text->used && !strchr("{[", text->at[text->used - 1])) put(text, ",");
}

static void vsay(const char *format, va_list list) {
  fprintf(stderr, "tcpautopsy-record: ");
  vfprintf(stderr, format, list);
  fprintf(stderr, "\n");
}

void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsay(format, list);
  va_end(list);
}

void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsay(format, list);
  va_end(list);
  exit(FAILED);
}

char *format(const char *format, ...) {
  struct text text = {0};
  va_list list;
  va_start(list, format);
  vput(&text, format, list);
  va_end(list);
  return text.at;
}

static struct text problems;

/* Said now, and written with the next status. */
void problem(const char *format, ...) {
  struct text one = {0};
  va_list list;
  va_start(list, format);
  vput(&one, format, list);
  va_end(list);
  say("%s", one.at);
  if (problems.used < 1 << 16) {
    if (problems.used) put(&problems, ",");
    put_string(&problems, one.at);
  }
  free(one.at);
}

void put_problems(struct text *text) { put(text, "[%s]", problems.used ? problems.at : ""); }
