package io.pare.cli;

import io.pare.compress.InfeasibleException;
import io.pare.compress.RecipeException;
import io.pare.data.DataException;
import io.pare.file.FileException;
import io.pare.format.FormatException;
import io.pare.mem.MemoryLimitException;
import io.pare.natives.NativeException;
import io.pare.natives.NativesUnavailableException;
import io.pare.train.TrainingException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns failures into one line on stderr and an exit code; stack traces come only with {@code --debug}. */
final class Failures implements IExecutionExceptionHandler, IParameterExceptionHandler {
    private final BooleanSupplier debug;

    Failures(BooleanSupplier debug) {
        this.debug = debug;
    }

    @Override
    public int handleParseException(ParameterException e, String[] args) {
        CommandLine line = e.getCommandLine();
        StringBuilder text = new StringBuilder(e.getMessage());
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            if (!suggestions.isEmpty()) {
                text.append("; did you mean ").append(String.join(" or ", suggestions)).append('?');
            }
        }
        print(line, text + System.lineSeparator() + "Try: " + line.getCommandSpec().qualifiedName() + " --help", e);
        return Commands.USAGE;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine line, ParseResult parsed) {
        print(line, describe(e), e);
        return switch (e) {
            case UsageException _ -> Commands.USAGE;
            case DataException _ -> Commands.USAGE;
            case RecipeException _ -> Commands.USAGE;
            case FormatException _ -> Commands.USAGE;
            case IllegalArgumentException _ -> Commands.USAGE;
            default -> Commands.FAILURE;
        };
    }

    private void print(CommandLine line, String text, Exception e) {
        PrintWriter err = line.getErr();
        err.println("pare: " + text);
        if (debug.getAsBoolean()) {
            e.printStackTrace(err);
        }
        err.flush();
    }

    private static String describe(Exception e) {
        return switch (e) {
            case UsageException _ -> e.getMessage();
            case DataException _ -> e.getMessage();
            case RecipeException _ -> e.getMessage();
            case InfeasibleException _ -> e.getMessage();
            case FormatException _ -> e.getMessage();
            case FileException _ -> e.getMessage();
            case TrainingException _ -> e.getMessage();
            case MemoryLimitException _ -> e.getMessage();
            case NativesUnavailableException _ -> e.getMessage();
            case NativeException _ -> e.getMessage();
            case IllegalArgumentException _ -> e.getMessage();
            case IllegalStateException _ when e.getMessage() != null -> e.getMessage();
            case UncheckedIOException wrapped -> describe(wrapped.getCause());
            case NoSuchFileException missing -> missing.getFile() + " does not exist";
            case AccessDeniedException denied -> denied.getFile() + ": permission denied";
            case IOException _ -> e.getMessage();
            default -> "unexpected failure: " + e + " (--debug shows where)";
        };
    }
}
