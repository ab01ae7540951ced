"""Language models: requests, completions, one retry layer, and what they cost.

The only package that talks to ``openai``, which it loads when a client is built.

Example:
    >>> recorded = {}
    >>> request = ChatRequest("tiny", (("user", "Hello"),))
    >>> recorded[request.digest] = Completion("Hi", "ok")
    >>> ReplayChat(recorded.get).complete(request).text
    'Hi'
"""

from reward_synth.llm.breaker import Breaker
from reward_synth.llm.budget import Budget, price, spent_before
from reward_synth.llm.chat import (
    ChatModel,
    ChatRequest,
    Completion,
    Status,
)
from reward_synth.llm.client import OpenAIChat
from reward_synth.llm.extract import Extracted, extract_code
from reward_synth.llm.journal import (
    Journal,
    JournaledChat,
    RecordJournal,
    Records,
    ReplayChat,
)
from reward_synth.llm.manual import ManualChat
from reward_synth.llm.retry import RetryPolicy
from reward_synth.llm.secrets import public_url
from reward_synth.llm.usage import Prices, Usage

__all__ = [
    "Breaker",
    "Budget",
    "ChatModel",
    "ChatRequest",
    "Completion",
    "Extracted",
    "Journal",
    "JournaledChat",
    "ManualChat",
    "OpenAIChat",
    "Prices",
    "RecordJournal",
    "Records",
    "ReplayChat",
    "RetryPolicy",
    "Status",
    "Usage",
    "extract_code",
    "price",
    "public_url",
    "spent_before",
]
