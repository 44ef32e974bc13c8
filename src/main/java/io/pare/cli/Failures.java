package io.pare.cli;

import io.pare.compress.recipe.InfeasibleException;
import io.pare.compress.stage.RecipeException;
import io.pare.data.DataException;
import io.pare.file.FileException;
import io.pare.file.FormatException;
import io.pare.mem.MemoryLimitException;
import io.pare.mpi.Ranks;
import io.pare.mpi.RanksException;
import io.pare.natives.NativeException;
import io.pare.natives.NativesUnavailableException;
import io.pare.run.RunException;
import io.pare.train.TrainingException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns failures into one line on stderr and an exit code; stack traces come only with {@code --debug}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    /** How picocli ends its line about a number: with the name of a Java type. */
    private static final Pattern NOT_WHOLE = Pattern.compile("is not an? (int|long)$");
    private static final Pattern NO_NUMBER = Pattern.compile("is not a (float|double)$");

    private final BooleanSupplier debug;

    Failures(BooleanSupplier debug) {
        this.debug = debug;
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        print(line, text(e), e);
        if (Ranks.launchedRank() == 0) {
            line.getErr().println("Try: " + line.getCommandSpec().qualifiedName() + " --help");
        }
        return Commands.USAGE;
    }

    /** What is wrong with a command line, in one line. */
    static String text(ParameterException e) {
        return e instanceof UnmatchedArgumentException unmatched ? unmatched(e.getCommandLine(), unmatched)
                : NOT_WHOLE.matcher(NO_NUMBER.matcher(e.getMessage()).replaceAll("is no number"))
                        .replaceAll("is no whole number");
    }

    /** Names the first word that means nothing: those behind it may be its values. */
    private static String unmatched(CommandLine line, UnmatchedArgumentException e) {
        String first = e.getUnmatched().getFirst();
        List<String> suggestions = e.getSuggestions();
        String kind = first.startsWith("-") ? "unknown option"
                : line.getSubcommands().isEmpty() ? "one argument too many:" : "unknown command";
        return kind + " '" + first + "'"
                + (suggestions.isEmpty() ? "" : "; did you mean " + String.join(" or ", suggestions) + "?");
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
        Throwable failure = unwrapped(e);
        print(line, describe(failure), failure);
        return switch (failure) {
            case UsageException _ -> Commands.USAGE;
            case RunException _ -> Commands.USAGE;
            case DataException _ -> Commands.USAGE;
            case RecipeException _ -> Commands.USAGE;
            case FormatException _ -> Commands.USAGE;
            case RanksException ranks -> ranks.shared() ? Commands.USAGE : Commands.FAILURE;
            case IllegalArgumentException _ -> Commands.USAGE;
            case NoSuchFileException _ -> Commands.USAGE;
            default -> Commands.FAILURE;
        };
    }

    /** Of several processes that fail for one reason, the first says it. */
    private void print(CommandLine line, String text, Throwable failure) {
        int rank = Ranks.launchedRank();
        boolean parsing = failure instanceof ParameterException;
        if (rank > 0 && (parsing || Ranks.ending())) {
            return;
        }
        PrintWriter err = line.getCommandSpec().root().commandLine().getErr();
        err.println("pare: " + (rank > 0 ? "rank " + rank + ": " : "") + text + Locales.hint(text));
        if (debug.getAsBoolean()) {
            failure.printStackTrace(err);
        }
        err.flush();
    }

    /** What went wrong, rather than who passed it on. */
    private static Throwable unwrapped(Throwable e) {
        Throwable cause = e.getCause();
        return cause != null && (e instanceof CommandLine.ExecutionException || e instanceof ExecutionException
                || e instanceof CompletionException) ? unwrapped(cause) : e;
    }

    private static String describe(Throwable e) {
        return switch (e) {
            case UsageException _ -> e.getMessage();
            case RunException _ -> e.getMessage();
            case DataException _ -> e.getMessage();
            case RecipeException _ -> e.getMessage();
            case InfeasibleException _ -> e.getMessage();
            case FormatException _ -> e.getMessage();
            case FileException _ -> e.getMessage();
            case RanksException _ -> e.getMessage();
            case TrainingException _ -> e.getMessage();
            case MemoryLimitException _ -> e.getMessage();
            case NativesUnavailableException _ -> e.getMessage();
            case NativeException _ -> e.getMessage();
            case IllegalArgumentException _ when e.getMessage() != null -> e.getMessage();
            case IllegalStateException _ when e.getMessage() != null -> e.getMessage();
            case UncheckedIOException wrapped -> describe(wrapped.getCause());
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            case AccessDeniedException denied -> denied.getFile() + ": permission denied";
            case IOException _ when e.getMessage() != null -> e.getMessage();
            case OutOfMemoryError memory -> outOf(String.valueOf(memory.getMessage()));
            case StackOverflowError _ -> "out of stack: the input is nested too deeply, or this is a fault of Pare's"
                    + " (--debug shows where)";
            default -> "unexpected failure: " + e + " (--debug shows where)";
        };
    }

    /** What to do when memory is short, by the JVM's words for which. */
    private static String outOf(String memory) {
        String remedy = memory.contains("direct buffer")
                ? "give Java more by JDK_JAVA_OPTIONS=-XX:MaxDirectMemorySize=SIZE"
                : memory.contains("native thread")
                        ? "ask for fewer threads by --threads, or allow more (ulimit -u)"
                        : memory.startsWith("Unable to allocate")
                                ? "the system has no more: ask for less by --memory-limit or a smaller --batch-size"
                                : "the heap may grow to " + (Runtime.getRuntime().maxMemory() >> 20)
                                        + " MB: give it more by JDK_JAVA_OPTIONS=-XmxSIZE, or ask for less by"
                                        + " --memory-limit";
        return "out of memory (" + memory + "): " + remedy;
    }
}
