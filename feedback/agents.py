"""Programs that fetch links without anybody having tapped them, by what they call themselves.

Own list, from what vendors document about their crawlers and previewers. It is one reason among
several: ordinary in-app browsers (MicroMessenger, wxwork, DingTalk, Feishu) must never be on it.
"""

import re

# Names that stand for a program wherever they appear.
_NAMED_TEXT = """
facebookexternalhit facebookcatalog meta-externalagent twitterbot linkedinbot slackbot
slack-imgproxy discordbot telegrambot whatsapp skypeuripreview pinterestbot redditbot embedly
iframely opengraph applebot googlebot google-inspectiontool googleother apis-google
mediapartners-google feedfetcher google-read-aloud bingbot bingpreview msnbot yandexbot
duckduckbot baiduspider sogou 360spider haosouspider bytespider yisouspider petalbot semrushbot
ahrefsbot mj12bot dotbot dataforseobot barkrowler ccbot gptbot claudebot amazonbot
archive.org_bot uptimerobot pingdom statuscake site24x7 newrelicpinger headlesschrome phantomjs
electron/ puppeteer playwright lighthouse ptst/ barracuda proofpoint mimecast symantec
trendmicro fortiguard zscaler safelinks urldefense feedly inoreader newsblur miniflux freshrss
rss-bot
"""
_NAMED = tuple(_NAMED_TEXT.split())

# Program libraries, which begin their name with themselves.
_LIBRARIES_TEXT = """
curl wget python-requests python-urllib python-httpx aiohttp httpx go-http-client java/ okhttp
apache-httpclient libwww-perl lwp:: ruby faraday axios node-fetch undici got/ postmanruntime
insomnia httpie scrapy guzzlehttp php/ dart/ rust reqwest powershell winhttp cfnetwork/ nutch
"""
_LIBRARIES = tuple(_LIBRARIES_TEXT.split())

_WORD = re.compile(r"\b(bot|crawler|spider|preview|scanner|monitor(?:ing)?|fetcher|validator)\b")
_BROWSERS_IN_APPS = re.compile(r"micromessenger|wxwork|dingtalk|lark|feishu|qq/|weibo")


def program_named(agent: str) -> str | None:
    """The name by which the agent gives itself away, or None for what may be a person's browser."""
    text = agent.lower()
    for name in _LIBRARIES:
        if text.startswith(name):
            return name.strip("/:")
    for name in _NAMED:
        if name in text:
            return name.strip("/")
    if _BROWSERS_IN_APPS.search(text):
        return None
    word = _WORD.search(text)
    return word[1] if word else None
