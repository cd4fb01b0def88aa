"""A seeded corpus of short mixed Chinese and English documents, and questions to ask of it."""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate

from content_library.search import SearchDocument

SEED = 20_240

_CHINESE_WORDS = """
    编程 课程 老师 学员 作业 打卡 直播 回放 面试 简历 项目 实战 前端 后端 数据库 算法 框架 接口
    部署 测试 运维 安全 性能 缓存 队列 索引 事务 日志 监控 报表 图表 需求 产品 设计 用户 社群
    私域 运营 增长 转化 留存 复购 优惠券 训练营 公开课 体验课 朋友圈 公众号 海报 视频 文章 问答
    案例 经验 方法 习惯 计划 目标 复盘 总结 清单 模板 工具 技巧 误区 入门 进阶 基础 语法 函数
    变量 循环 对象 模块 线程 内存 网络 协议 浏览器 服务器 命令行 脚本 爬虫 自动化 办公 表格
    机器学习 人工智能 数据分析 可视化 职场 转行 薪资 成长 阅读 笔记 分享 福利 报名 名额 周末
    早上 晚上 时间 坚持 反馈 鼓励 同学 家长 孩子 兴趣 证书 考试 题目 答案 错误 调试 代码 注释
"""
_ENGLISH_WORDS = """
    python java javascript typescript react vue docker linux git sql redis flask django course
    lesson teacher student homework project interview resume database index cache queue thread
    network browser server script testing design product growth community weekly planning review
    checklist template mistake beginner advanced career salary reading notes sharing feedback
    deadline schedule publish article poster video webinar coupon trial members learning data
    analysis chart report machine model training deploy cloud security performance debugging
    refactoring function variable loop object module memory protocol automation spreadsheet
"""
_CHINESE = _CHINESE_WORDS.split()
_ENGLISH = _ENGLISH_WORDS.split()
_TERMS = ("C++", "C#", ".NET", "Node.js", "Java 17", "Python 3.11", "GPT-4", "K8s", "HTTP/2", "AI")
_TAGS = (
    "主题:Python",
    "主题:Java",
    "场景:早读",
    "场景:晚自习",
    "步骤:了解",
    "步骤:购买",
    "format:article",
)
_JOINTS = ("，", "。", "的", "和", "：", "")


def documents(count: int = 20_000, seed: int = SEED) -> Iterator[SearchDocument]:
    """The same documents for the same seed.

    As in real text a document keeps to its few words, and some words are far commoner than others.
    """
    dice = random.Random(seed)
    for number in range(1, count + 1):
        is_chinese = dice.random() < 0.67
        theme = _theme(dice, is_chinese)
        joints = _JOINTS if is_chinese else (" ",)
        yield SearchDocument(
            id=number,
            title=_sentence(dice, theme, joints, dice.randint(3, 6)),
            summary=_sentence(dice, theme, joints, dice.randint(6, 12)),
            body=_sentence(dice, theme, joints, dice.randint(25, 60)),
            tags=tuple(dice.sample(_TAGS, dice.randint(1, 3))),
            lang="zh" if is_chinese else "en",
        )


def questions(count: int = 80, words: int = 2, seed: int = SEED) -> list[str]:
    """Searches of so many words each, from both languages, common and rare words alike."""
    dice = random.Random(seed + words)
    pool = (*_CHINESE, *_ENGLISH)
    return [" ".join(dice.sample(pool, words)) for _ in range(count)]


def _weights(words: Sequence[str]) -> list[float]:
    return list(accumulate(1 / (rank + 3) for rank in range(len(words))))


_CHINESE_WEIGHTS = _weights(_CHINESE)
_ENGLISH_WEIGHTS = _weights(_ENGLISH)


def _theme(dice: random.Random, is_chinese: bool) -> list[str]:
    """A dozen words of one language, a few of the other, sometimes a term of the trade."""
    chinese = dice.choices(_CHINESE, cum_weights=_CHINESE_WEIGHTS, k=10 if is_chinese else 2)
    english = dice.choices(_ENGLISH, cum_weights=_ENGLISH_WEIGHTS, k=2 if is_chinese else 10)
    return [*chinese, *english, *dice.sample(_TERMS, dice.randint(0, 1))]


def _sentence(dice: random.Random, theme: list[str], joints: Sequence[str], length: int) -> str:
    return "".join(dice.choice(theme) + dice.choice(joints) for _ in range(length)).strip()
